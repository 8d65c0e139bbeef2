"""A server that speaks as Redis does, and misbehaves as a test says: by the byte, and differently on each connection.

Owns the sockets. Whatever it is not told otherwise it answers like a hash in which every field of `k` is `k.field`, so
that each answer says whose it is.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.stage.redis_wire import Command, RedisWire


@dataclass
class Manner:
    """How one connection is served."""

    piece: int = 65_536
    """So many bytes of an answer are sent at once."""
    cut_after: int | None = None
    """After so many bytes in all the connection is reset."""
    silent: bool = False
    """Commands are read, and nothing is said."""
    deaf: asyncio.Event = field(default_factory=asyncio.Event)
    """Set (as it is at first) while what arrives is read."""
    extra: bytes = b""
    """What is said behind the first answer."""

    def __post_init__(self) -> None:
        self.deaf.set()


def hash_of_names(command: Command) -> bytes:
    """Answer HMGET with names: `k.field` for each field of `k`."""
    key, *fields = command.words[1:]
    values = [key + b"." + name for name in fields]
    return b"*%d\r\n%s" % (len(values), b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in values))


class ScriptedRedis:
    """Serves the connections that come, each by the next of `manners`, and all that come after them plainly."""

    def __init__(
        self, manners: Sequence[Manner] = (), *, answer: Callable[[Command], bytes] = hash_of_names
    ) -> None:
        self._manners = list(manners)
        self._answer = answer
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.commands: list[Command] = []
        """What was asked, by whatever connection."""
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        """For a client."""
        return f"redis://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedRedis"]:
        """Serve while the block runs."""
        listening = socket.create_server(("127.0.0.1", 0))
        # Small, so that a server that does not read is soon noticed.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server = await asyncio.start_server(self._accept, sock=listening)
        self.port = listening.getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut_all()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def next(self, *manners: Manner) -> None:
        """Serve the next connections so."""
        self._manners += manners

    def heal(self) -> None:
        """Serve all connections that come from now on plainly."""
        self._manners.clear()

    def cut_all(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        manner = self._manners.pop(0) if self._manners else Manner()
        # Cancelled at the end of the block; a task of a stream's that is cancelled is an error to asyncio.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._serve(reader, writer, manner)
        writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, manner: Manner
    ) -> None:
        wire, sent, extra = RedisWire(), 0, manner.extra
        while sent != manner.cut_after:
            await manner.deaf.wait()
            command = await wire.request(reader)
            self.commands.append(command)
            answer = b"" if manner.silent else self._answer(command) + extra
            extra = b""
            if manner.cut_after is not None:
                answer = answer[: manner.cut_after - sent]
            sent += len(answer)
            for start in range(0, len(answer), manner.piece):
                writer.write(answer[start : start + manner.piece])
                await writer.drain()
                if manner.piece < len(answer):
                    await asyncio.sleep(0)  # so that the next one is read by itself
