"""A server that takes few connections, and those who come to it, from several networks where that matters."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from servicekit.http.client_networks import CLIENT_NETWORKS, ClientNetworks
from servicekit.http.limited_handler import LimitedHandler
from servicekit.http.limited_site import LimitedSite
from servicekit.http.quiet_server import QuietRunner
from tests.stage.patience import PATIENCE

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHo"
WORK = b"GET /work HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self, request: bytes = b"") -> str:
        """Send `request`; return the head of the answer, or nothing where the connection was closed instead."""
        self.writer.write(request)
        try:
            head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""
        (length,) = [int(line[16:]) for line in head.split("\r\n") if line.startswith("Content-Length: ")]
        await self.reader.readexactly(length)
        return head

    async def was_closed(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE) == b""
        except ConnectionError:
            return True


@dataclass
class Server:
    """What serves, and those who came to it."""

    runner: QuietRunner
    stack: AsyncExitStack
    at_work: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def handlers(self) -> list[LimitedHandler]:
        assert self.runner.server
        return cast("list[LimitedHandler]", self.runner.server.connections)

    async def client(self, *, tls: ssl.SSLContext | None = None, source: str = "127.0.0.1") -> Client:
        port = self.runner.addresses[0][1]
        client = Client(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, local_addr=(source, 0)))
        self.stack.callback(client.writer.close)
        return client

    async def work(self, *, source: str = "127.0.0.1") -> Client:
        """Return a client whose request is under way."""
        client = await self.client(source=source)
        client.writer.write(WORK)
        await asyncio.wait_for(self.at_work.acquire(), PATIENCE)
        return client


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a state that nothing tells of."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


Serve = Callable[..., Awaitable[Server]]


@asynccontextmanager
async def sites() -> AsyncIterator[Serve]:
    """Give what starts a server that takes `most` connections; all of them end with the block."""
    async with AsyncExitStack() as stack:

        async def start(
            most: int,
            *,
            tls: ssl.SSLContext | None = None,
            unread: float = 30,
            trusted: tuple[str, ...] = (),
            **options: Any,
        ) -> Server:
            async def answer(_request: web.Request) -> web.Response:
                return web.Response(text="here")

            async def work(_request: web.Request) -> web.Response:
                server.at_work.release()
                await server.may_end.wait()
                return web.Response(text="done")

            async def large(_request: web.Request) -> web.Response:
                return web.Response(body=b"x" * 20_000_000)

            app = web.Application()
            app[CLIENT_NETWORKS] = ClientNetworks(trusted)
            app.router.add_get("/", answer)
            app.router.add_get("/work", work)
            app.router.add_get("/large", large)
            runner = QuietRunner(app, service="gateway", drain_seconds=0.1, **options)
            runner.connections.most = most
            server = Server(runner, stack)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            site = LimitedSite(
                runner,
                listener,
                runner.connections,
                networks=runner.networks,
                tls=tls,
                unread_seconds=unread,
            )
            await site.start()
            return server

        yield start
