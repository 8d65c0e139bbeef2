"""A server of one handler, and one connection to it, on either loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from servicekit.http.current_app import CurrentApp
from servicekit.http.limited_handler import LimitedHandler
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.site import until

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]).encode()


@dataclass
class Served:
    """A server of one handler, and one connection to it."""

    manager: web.Server
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def handler(self) -> LimitedHandler:
        (handler,) = self.manager.connections
        return cast("LimitedHandler", handler)

    async def said(self) -> str:
        """Return the next answer: its status and its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        (length,) = [int(line[16:]) for line in head.split("\r\n") if line.startswith("Content-Length: ")]
        return f"{head.split()[1]} {(await self.reader.readexactly(length)).decode()}"

    async def rest(self) -> bytes:
        """Return what comes until the connection ends."""
        return await self.reader.read()


@asynccontextmanager
async def served(answer: Handler, **options: float) -> AsyncIterator[Served]:
    loop, manager = asyncio.get_running_loop(), web.Server(CurrentApp(answer))  # type: ignore[arg-type]
    server = await loop.create_server(
        lambda: LimitedHandler(manager, loop=loop, access_log=None, **options),  # type: ignore[arg-type]
        "127.0.0.1",
        0,
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(PATIENCE):
            await until(lambda: bool(manager.connections))
            yield Served(manager, reader, writer)
    finally:
        writer.close()
        server.close()
        await manager.shutdown(PATIENCE)
