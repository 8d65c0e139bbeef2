"""A TCP proxy that fails on demand: refuses, falls silent, delays, trickles, or cuts in the middle of an answer.

Switched while it runs. What a switch means for connections that are open is said beside it; nothing here knows a
protocol. Times are in seconds.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_CHUNK = 65_536


@dataclass
class Faults:
    """What is wrong at the moment; as made, nothing."""

    refuse: bool = False
    """New connections are closed at once; open ones go on."""
    silent: bool = False
    """Nothing gets through, in either direction, and nothing is closed."""
    delay: float = 0
    """Every piece of an answer comes so much later."""
    cut_after: int | None = None
    """So many more bytes are answered, over all connections, and then the connection is reset."""
    swallow_after: int | None = None
    """So many more bytes are answered, and what follows is lost while the connection stays open."""
    bytes_per_second: float | None = None
    """Answers trickle."""


class FaultProxy:
    """Stands before one server; `faults` may be changed, or replaced, at any time."""

    def __init__(self, host: str, port: int) -> None:
        self.faults = Faults()
        self.connections = 0
        """How many were ever opened to us."""
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    @asynccontextmanager
    async def before(cls, host: str, port: int) -> AsyncIterator["FaultProxy"]:
        """Run a proxy before a server while the block runs."""
        proxy = cls(host, port)
        proxy._server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        try:
            yield proxy
        finally:
            proxy._server.close()
            proxy.reset_all()
            for task in proxy._tasks:
                task.cancel()
            await asyncio.gather(*proxy._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._open) // 2

    def lead_to(self, port: int) -> None:
        """Lead new connections to another server; open ones stay where they are."""
        self._target = (self._target[0], port)

    def heal(self) -> None:
        """Do nothing wrong any more."""
        self.faults = Faults()

    def reset_all(self) -> None:
        """Cut every open connection, without a farewell."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.faults.refuse:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, server_writer}
        asking = asyncio.create_task(self._pass_on(reader, server_writer, answers=False))
        answering = asyncio.create_task(self._pass_on(server_reader, writer, answers=True))
        self._tasks |= {asking, answering}
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in (writer, server_writer):
                end.transport.abort()
            self._open -= {writer, server_writer}
            for task in (asking, answering):
                task.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)
            self._tasks -= {asking, answering}

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_CHUNK):
                while self.faults.silent:  # noqa: ASYNC110 - `faults` may be replaced by a test at any time
                    await asyncio.sleep(0.01)
                if answers and not await self._answer(writer, piece):
                    return
                if not answers:
                    writer.write(piece)
                    await writer.drain()

    async def _answer(self, writer: asyncio.StreamWriter, piece: bytes) -> bool:
        """Pass on an answer with what is wrong; False when the connection is to be cut."""
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        faults = self.faults
        if faults.swallow_after is not None:
            piece = piece[: faults.swallow_after]
            faults.swallow_after -= len(piece)
        cut = faults.cut_after is not None and len(piece) >= faults.cut_after
        if faults.cut_after is not None:
            piece = piece[: faults.cut_after]
            faults.cut_after -= len(piece)
        if faults.bytes_per_second is None:
            writer.write(piece)
            await writer.drain()
        else:
            for number in range(len(piece)):
                writer.write(piece[number : number + 1])
                await asyncio.sleep(1 / faults.bytes_per_second)
        return not cut
