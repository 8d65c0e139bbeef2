"""A gateway's WebSockets on a real port, between a browser and an upstream that does what a test asks for.

The upstream is found by the path behind `/api/chat`; who opens it carries no token here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import aiohttp_session
from aiohttp import web

from gateway.audit.activity import Activity
from gateway.audit.recorder import Audit
from gateway.counts import Counts
from gateway.proxy.socket_relay import Upstream
from gateway.proxy.websocket import SocketPlaces, WebSockets
from gateway.session.cookie import COOKIE, SessionStorage
from gateway.session.sessions import LiveSession, SessionStore
from gateway.session.stream_wheel import StreamWheel
from gateway.store.vault import Vault
from gateway.upstream_rows import UpstreamRow
from servicekit.outbound import outbound
from servicekit.problems import problems_middleware
from servicekit.socket_call import SocketLimits
from servicekit.upstream import Upstream as Server
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.socket_upstream import SocketUpstream
from tests.stage.tenant import MovableClock
from tests.stage.trust import ONE_CERTIFICATE
from tests.stage.world import served
from tests.unit.gateway.store_of_tests import IDLE

QUICK: Final = SocketLimits(message=200_000, heartbeat=20, close=0.5)
LOOK: Final = 0.05


class CountsOfSockets(Counts):
    """Keeps how many sockets a row has."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}

    def sockets_open(self, upstream: str, count: int) -> None:
        """Hear how many there are."""
        self.open[upstream] = count


@dataclass
class Stage:
    """Everything around the sockets of one gateway."""

    url: str
    upstream: SocketUpstream
    sockets: WebSockets
    vault: Vault
    sessions: SessionStore
    counts: CountsOfSockets
    browser: aiohttp.ClientSession
    row: dict[str, Any] = field(default_factory=dict)

    async def open(
        self, path: str, session: LiveSession | None = None, **more: Any
    ) -> "aiohttp.ClientWebSocketResponse[bool]":
        """Open a socket with the session's cookie."""
        headers = {"Cookie": f"{COOKIE}={session.cookie.text}"} if session else {}
        socket: aiohttp.ClientWebSocketResponse[bool] = await self.browser.ws_connect(
            f"{self.url}/api/chat{path}",
            headers=headers,
            autoclose=False,
            **{"max_msg_size": 0, **more},
        )
        return socket

    async def none_left(self) -> None:
        """Wait until no socket is open."""
        async with asyncio.timeout(PATIENCE):
            while self.sockets.count():  # noqa: ASYNC110 - the product tells nobody
                await asyncio.sleep(0.01)


async def told(socket: "aiohttp.ClientWebSocketResponse[bool]") -> tuple[int | None, str]:
    """Return the close that the browser is told, past all messages; None where there is none."""
    while True:
        message: Any = await asyncio.wait_for(socket.receive(), PATIENCE)
        if message.type is aiohttp.WSMsgType.CLOSE:
            await socket.close(code=message.data or 1000)
            return message.data, message.extra
        if message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}:
            return None, ""


@asynccontextmanager
async def stage(
    vault: Vault,
    sessions: SessionStore,
    clock: MovableClock,
    *,
    limits: SocketLimits = QUICK,
    places: SocketPlaces | None = None,
    upstream_url: str = "",
    **row: Any,
) -> AsyncIterator[Stage]:
    """Serve a gateway's sockets in front of an upstream, that of `SocketUpstream` or another one."""
    upstream, counts = SocketUpstream(), CountsOfSockets()
    ports = free_port(), free_port()
    target = upstream_url or f"http://127.0.0.1:{ports[1]}"
    chat = UpstreamRow(**{"name": "chat", "prefix": "/api/chat", "target": target, "websocket": True, **row})
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network, aiohttp.ClientSession() as browser:
        way = network.to(Server("chat", call_seconds=chat.timeout))

        async def open_upstream(
            request: web.Request,
            _session: LiveSession | None,
            row: UpstreamRow,
            offered: Sequence[str],
            of_one: SocketLimits,
        ) -> Upstream:
            url = row.target + request.rel_url.raw_path_qs.removeprefix(row.prefix)
            reply = await way.sockets.open(
                url, headers={}, subprotocols=offered, seconds=row.timeout, limits=of_one
            )
            assert reply.socket
            return reply.socket

        sockets = WebSockets(
            sessions,
            vault,
            StreamWheel(vault, now=clock, monotonic=clock, look=LOOK, rarely=LOOK),
            open_upstream,
            Audit(vault, Activity(vault), None, now=clock),
            now=clock,
            idle=IDLE,
            redis_seconds=5,
            network_of=lambda request: request.remote or "",
            places=places,
            limits=limits,
            counts=counts,
        )

        async def answer(request: web.Request) -> web.StreamResponse:
            return await sockets.answer(request, chat)

        storage = SessionStorage(sessions, lambda _: ())
        app = web.Application(
            middlewares=[problems_middleware(), aiohttp_session.session_middleware(storage)]
        )
        app.router.add_get("/api/chat{tail:.*}", answer)
        async with served(upstream.app(), ports[1]), served(app, ports[0], service="gateway"):
            yield Stage(f"http://127.0.0.1:{ports[0]}", upstream, sockets, vault, sessions, counts, browser)
            sockets.stop()
