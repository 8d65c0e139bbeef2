"""A server that MSAL's transport asks, which answers as told and notes what it saw."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.authority_transport import Answer, AuthorityTransport
from servicekit.clock_watch import ClockWatch
from servicekit.outbound import Outbound, outbound
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.authority import Clock
from tests.unit.servicekit.listening import listening

URL = "https://login.example.com/thing"


@dataclass
class AskedServer:
    """One address that answers as told."""

    network: Outbound
    transport: AuthorityTransport
    clock: Clock
    status: int = 200
    body: bytes = b'{"a":1}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    trickle: float = 0
    wall: Clock = field(default_factory=lambda: Clock(time.time()))
    seen: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    """From which port each request came: another one is another connection."""

    def give_up_after(self, seconds: float) -> None:
        """Let the transport wait so long for an answer, and not as long as in production."""
        self.transport.close()
        self.transport = AuthorityTransport(self.network, seconds=seconds)

    async def post(self) -> Answer:
        return await asyncio.to_thread(self.transport.post, URL, data={"grant_type": "x"})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.read())
        self.ports.append(request.transport.get_extra_info("peername")[1] if request.transport else 0)
        await asyncio.sleep(self.delay)
        if self.trickle:
            return await self._trickling(request)
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    async def _trickling(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(60):
            await response.write(b" ")
            await asyncio.sleep(self.trickle)
        return response


@asynccontextmanager
async def asked_server() -> AsyncIterator[AskedServer]:
    """Run one under the name login.example.com."""
    holder: list[AskedServer] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        return await holder[0].answer(request)

    app = web.Application()
    app.router.add_route("*", "/thing", answer)
    async with (
        listening(app) as url,
        outbound(AddressMap({"login.example.com": url}), ONE_CERTIFICATE) as network,
    ):
        clock, wall = Clock(0), Clock(time.time())
        transport = AuthorityTransport(network, clocks=ClockWatch(now=wall, monotonic=clock))
        holder.append(AskedServer(network, transport, clock, wall=wall))
        yield holder[0]
        holder[0].transport.close()
