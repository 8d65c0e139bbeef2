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
from tests.stage.tenant import MovableClock
from tests.stage.trust import ONE_CERTIFICATE
from tests.stage.world import served
from tests.unit.gateway.store_of_tests import IDLE

QUICK: Final = SocketLimits(message=200_000, heartbeat=20, close=0.5)
LOOK: Final = 0.05


class Upstreams:
    """The upstream: what it saw, and what it does by its path."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[tuple[int | None, str]] = asyncio.Queue()
        """How each socket ended for it: the code it was told, None where it was told nothing, and the reason."""
        self.sent = 0
        self.seen: list[web.Request] = []

    def app(self) -> web.Application:
        """Return it as an application."""
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        what = request.path.strip("/").partition("/")[0]
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        chosen = ("v2",) if "v2" in offered else ()
        socket = web.WebSocketResponse(
            protocols=chosen, autoclose=what != "deaf", max_msg_size=0, compress=False, timeout=1
        )
        await socket.prepare(request)
        if what == "close":
            await socket.close(
                code=int(request.query["code"]), message=request.query.get("reason", "").encode()
            )
        elif what == "vanish":
            assert request.transport is not None
            request.transport.abort()
        elif what == "say":
            await socket.send_bytes(b"x" * int(request.query["size"]))
        elif what == "flood":
            await self._flood(socket)
        told = await self._until_the_end(socket, echoes=what in {"echo", "sparse"})
        await self.ended.put(told)
        return socket

    async def _flood(self, socket: web.WebSocketResponse) -> None:
        try:
            while True:
                await socket.send_bytes(b"x" * 10_000)
                self.sent += 1
        except ConnectionError:
            pass

    async def _until_the_end(self, socket: web.WebSocketResponse, *, echoes: bool) -> tuple[int | None, str]:
        while True:
            message: Any = await socket.receive()
            if message.type is aiohttp.WSMsgType.CLOSE:
                return message.data, message.extra
            if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                if echoes:
                    sent = message.data.encode() if isinstance(message.data, str) else message.data
                    await socket.send_frame(sent, message.type)
            elif message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}:
                return socket.close_code if socket.close_code != 1000 else None, ""

    async def end(self) -> tuple[int | None, str]:
        """Return how the next socket ended for the upstream."""
        return await asyncio.wait_for(self.ended.get(), PATIENCE)


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
    upstream: Upstreams
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
    """Serve a gateway's sockets in front of an upstream, that of `Upstreams` or another one."""
    upstream, counts = Upstreams(), CountsOfSockets()
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

        storage = SessionStorage(sessions.load, lambda _: ())
        app = web.Application(
            middlewares=[problems_middleware(), aiohttp_session.session_middleware(storage)]
        )
        app.router.add_get("/api/chat{tail:.*}", answer)
        async with served(upstream.app(), ports[1]), served(app, ports[0], service="gateway"):
            yield Stage(f"http://127.0.0.1:{ports[0]}", upstream, sockets, vault, sessions, counts, browser)
            sockets.stop()
