"""A TCP proxy that knows a request from its answer, and interrupts the one that a test describes.

Owns the connections through it and what is to happen to which request: it is held, cut, refused, slowed down, or it
is the moment at which a process is killed; on its way there, or once it was carried out and its answer comes.
Never knows what a request means (`redis_wire.py` and `http_wire.py` read them), never changes one, and waits for
events: `fault_proxy.py` is for a network that is bad all the time.

    held = proxy.hold(runs(CREATE))
    arriving = asyncio.create_task(ada.come_back(page))
    await held.reached()
    ...
    held.release()
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from tests.stage.interruptions import CUT, Interruptions


class Request(Protocol):
    """What a wire reads: anything that can be sent on as it came."""

    @property
    def raw(self) -> bytes:
        """The bytes that came."""


R = TypeVar("R", bound=Request)
R_co = TypeVar("R_co", bound=Request, covariant=True)


class Wire(Protocol[R_co]):
    """A protocol in which each request has one answer, in the order of the requests."""

    async def request(self, reader: asyncio.StreamReader) -> R_co:
        """Read a request; raises IncompleteReadError at the end."""

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        """Read an answer; raises IncompleteReadError at the end."""

    def carried_out(self, answer: bytes) -> bool:
        """Tell whether the server did what was asked, or asks for it in another form."""


class RequestProxy(Interruptions[R]):
    """Stands before one server that speaks `wire`."""

    def __init__(self, wire: Wire[R]) -> None:
        super().__init__()
        self._wire = wire
        self._target = ("127.0.0.1", 1)
        self._connections: set[asyncio.Task[None]] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []
        self._server: asyncio.Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RequestProxy[R]"]:
        """Listen on a free port while the block runs; raises what went wrong in a matching of the test's."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield self
        finally:
            self._server.close()
            for one in self._passing:
                one.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
        for error in self._failed:
            raise error

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def lead_to(self, url: str) -> str:
        """Lead new connections to the server of this URL; return the URL that leads through here."""
        there = urlsplit(url)
        assert there.hostname is not None
        assert there.port is not None
        self._target = (there.hostname, there.port)
        login, at, _ = there.netloc.rpartition("@")
        return there._replace(netloc=f"{login}{at}127.0.0.1:{self.port}").geturl()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        ends = [writer]
        both: set[asyncio.Task[None]] = set()
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            ends.append(server_writer)
            connection = _Connection(self._wire, self, writer, server_writer)
            both |= {
                asyncio.create_task(connection.pass_requests(reader)),
                asyncio.create_task(connection.pass_answers(server_reader)),
            }
            self._passing |= both
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # there is no server: whoever came finds out by the end of the connection
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self._failed += [error for one in both if not one.cancelled() and (error := one.exception())]
            self._passing -= both
            for end in ends:
                end.close()
            self._connections.discard(task)


class _Connection(Generic[R]):
    """One client's way to the server; ends when either side does, or when it is to be cut."""

    def __init__(
        self,
        wire: Wire[R],
        interruptions: Interruptions[R],
        client: asyncio.StreamWriter,
        server: asyncio.StreamWriter,
    ) -> None:
        self._wire = wire
        self._interruptions = interruptions
        self._client = client
        self._server = server
        # What was asked and has no answer yet, in order; with the answer where it is ours.
        self._asked: deque[tuple[R, bytes | None]] = deque()

    async def pass_requests(self, reader: asyncio.StreamReader) -> None:
        """Send on what the client asks."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                request = await self._wire.request(reader)
                ours = await self._interruptions.meets(request, answered=False)
                if ours == CUT:
                    return self._cut()
                self._asked.append((request, ours))
                if ours is None:
                    self._server.write(request.raw)
                    await self._server.drain()
                elif len(self._asked) == 1:
                    self._answer_ours()

    async def pass_answers(self, reader: asyncio.StreamReader) -> None:
        """Send on what the server answers."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                answer = await self._wire.answer(reader)
                if self._asked:  # a server that is full says so unasked
                    request, _ = self._asked[0]
                    if self._wire.carried_out(answer):
                        instead = await self._interruptions.meets(request, answered=True)
                        if instead == CUT:
                            return self._cut()
                    self._asked.popleft()
                self._client.write(answer)
                self._answer_ours()
                await self._client.drain()

    def _answer_ours(self) -> None:
        """Give the answers that are ours and whose turn it is."""
        while self._asked and (ours := self._asked[0][1]) is not None:
            self._client.write(ours)
            self._asked.popleft()

    def _cut(self) -> None:
        for end in (self._client, self._server):
            end.transport.abort()
