"""An upstream with WebSockets that does what its path says, and tells how each of them ended for it."""

import asyncio
from typing import Any

import aiohttp
from aiohttp import web

from tests.stage.patience import PATIENCE


class SocketUpstream:
    """The upstream: what it saw, and what it does by its path."""

    def __init__(self) -> None:
        self.reached, self.released = asyncio.Event(), asyncio.Event()
        """`/slow` says that it is asked, and answers once it is released."""
        self.answers: list[web.StreamResponse] = []
        """What the next handshakes are answered instead of being taken."""
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
        if self.answers:
            return self.answers.pop(0)
        if request.path == "/slow":
            self.reached.set()
            await self.released.wait()
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
