"""An upstream of which a test writes every byte: answers that no server of ours would give.

Owns the listening, and noting what came and when the other side left. Never reads meaning into a request: the head
is read, and the rest is the test's own.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.stage.patience import PATIENCE

_HEAD_END = b"\r\n\r\n"


class Asked:
    """One request, and the connection that it came by."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.reader = reader
        self.writer = writer

    @property
    def first_line(self) -> str:
        """Method, target and version, as they came."""
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    @property
    def fields(self) -> dict[str, str]:
        """The header fields; names in small letters, of several the last counts."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    async def say(self, *pieces: bytes) -> None:
        """Send bytes, each piece by itself."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def body(self) -> bytes:
        """Read as many bytes as the head announces."""
        length = int(self.fields.get("content-length", "0"))
        return await asyncio.wait_for(self.reader.readexactly(length), PATIENCE)

    async def chunked(self) -> bytes:
        """Read a body in chunks."""
        whole = b""
        while size := int(await asyncio.wait_for(self.reader.readline(), PATIENCE), 16):
            whole += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readline()
        return whole

    async def left(self) -> None:
        """Wait until the other side is gone, whatever it still says."""
        try:
            async with asyncio.timeout(PATIENCE):
                while await self.reader.read(65_536):
                    pass
        except ConnectionError:
            pass

    def reset(self) -> None:
        """End the connection by a reset, as a process does that dies."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()


Answer = Callable[[Asked], Awaitable[None]]


class RawUpstream:
    """Answers each request by `answer`, which a test sets; the connection ends with a head that does not come."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if task := asyncio.current_task():
            self._tasks.add(task)
        try:
            while head := await reader.readuntil(_HEAD_END):
                asked = Asked(head, reader, writer)
                self.asked.append(asked)
                await self.answer(asked)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side left, or the test is over
        finally:
            writer.close()

    async def end(self) -> None:
        """Let whoever still answers go, and wait until they have."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def raw_upstream(answer: Answer) -> AsyncIterator[RawUpstream]:
    """Listen while the block runs."""
    upstream = RawUpstream(answer)
    listener = await asyncio.start_server(upstream._accept, "127.0.0.1", 0, limit=2**20)
    upstream.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        listener.close()
        await upstream.end()


def saying(*pieces: bytes, then_close: bool = False) -> Answer:
    """Answer every request so, and close the connection afterwards if that is part of it."""

    async def answer(asked: Asked) -> None:
        await asked.say(*pieces)
        if then_close:
            asked.writer.close()

    return answer


def head(*fields: str, status: int = 200) -> bytes:
    """Return the head of an answer with these fields."""
    return "\r\n".join([f"HTTP/1.1 {status} Said", *fields, "", ""]).encode("latin-1")


def ok(body: bytes = b"here", *fields: str) -> bytes:
    """Return a whole answer."""
    return head(f"Content-Length: {len(body)}", *fields) + body
