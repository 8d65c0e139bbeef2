"""What a gateway says to Redis: how many commands the server ran for it, and how many times it waited for an answer.

Owns a TCP proxy between the two, and a connection of its own on which the server reports (MONITOR).
A command is one that the server reports for a connection through the proxy; what a script calls inside is part of it.
A round trip begins when bytes go to the server on a connection on which nothing is unanswered: several commands that
are sent together cost one. Setting up a connection counts as neither, as a connection serves thousands of requests,
nor does what is published or kept of a person's activity, which no request waits for.
Never changes a byte.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import Redis

from gateway.store.scripts import PREPEND, sha1_of
from tests.stage.patience import PATIENCE

_CHUNK: Final = 65_536
_BESIDE: Final = sha1_of(PREPEND)
_OF_NO_REQUEST: Final = frozenset({"AUTH", "HELLO", "CLIENT", "SELECT", "READONLY", "PUBLISH", "SUBSCRIBE"})
# The first command of what is sent, in RESP: an array's length, a string's length, the name.
_FIRST: Final = re.compile(rb"\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n")


@dataclass
class Traffic:
    """What was counted: the names of the commands, in order, the round trips, and the bytes on the way to Redis."""

    commands: list[str] = field(default_factory=list)
    round_trips: int = 0
    written: int = 0


class CountedRedis:
    """Stands before one server, and counts for whoever asks."""

    def __init__(self, url: str) -> None:
        self._server_url = url
        self._ports: set[str] = set()
        self._counting: list[Traffic] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._proxy_port = 0
        self._control = Redis.from_url(url, socket_timeout=PATIENCE)
        # Without a time-out: nothing is reported for as long as nobody asks.
        self._watching = Redis.from_url(url, socket_timeout=None)
        self._reached: dict[str, asyncio.Event] = {}

    @property
    def url(self) -> str:
        """What the gateway is given for GATEWAY_REDIS_URL."""
        parts = urlsplit(self._server_url)
        login, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}{at}127.0.0.1:{self._proxy_port}").geturl()

    @classmethod
    @asynccontextmanager
    async def before(cls, url: str) -> AsyncIterator["CountedRedis"]:
        """Stand before the server at `url` while the block runs."""
        self = cls(url)
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._proxy_port = server.sockets[0].getsockname()[1]
        listening = asyncio.Event()
        watch = asyncio.create_task(self._watch(listening))
        await listening.wait()
        try:
            yield self
        finally:
            server.close()
            for task in (watch, *self._tasks):
                task.cancel()
            await asyncio.gather(watch, *self._tasks, return_exceptions=True)
            await self._control.aclose()
            await self._watching.aclose()

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[Traffic]:
        """Count what is said while the block runs; all of it is counted when the block has ended."""
        traffic = Traffic()
        await self._settled()
        self._counting.append(traffic)
        try:
            yield traffic
        finally:
            await self._settled()
            self._counting.remove(traffic)

    async def _settled(self) -> None:
        """Wait until the server has reported all that it ran before now."""
        mark = f"settled-{len(self._reached)}"
        self._reached[mark] = asyncio.Event()
        await self._control.echo(mark)
        async with asyncio.timeout(PATIENCE):
            await self._reached[mark].wait()

    async def _watch(self, listening: asyncio.Event) -> None:
        async with self._watching.monitor() as monitor:
            listening.set()
            while True:
                report = await monitor.next_command()
                words = report["command"].split()
                if words[0] == "ECHO" and words[1] in self._reached:
                    self._reached[words[1]].set()
                elif report["client_port"] in self._ports and _is_waited_for(words):
                    for traffic in self._counting:
                        traffic.commands.append(words[0])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self._server_url)
        with _closing(writer):
            answers, requests = await asyncio.open_connection(parts.hostname, parts.port)
            port = str(requests.get_extra_info("sockname")[1])
            self._ports.add(port)
            with _closing(requests):
                waiting = _Waiting()
                ways = [
                    asyncio.create_task(self._ask(reader, requests, waiting)),
                    asyncio.create_task(self._answer(answers, writer, waiting)),
                ]
                self._tasks.update(ways)
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                self._tasks.difference_update(ways)
            self._ports.discard(port)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: "_Waiting"
    ) -> None:
        while piece := await reader.read(_CHUNK):
            for traffic in self._counting:
                traffic.written += len(piece)
            if not waiting.for_answer:
                waiting.for_answer = True
                first = _FIRST.match(piece)
                if first is None or _is_waited_for(
                    [first[1].decode(), piece[: first.end() + 60].decode(errors="replace")]
                ):
                    for traffic in self._counting:
                        traffic.round_trips += 1
            writer.write(piece)
            await writer.drain()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: "_Waiting"
    ) -> None:
        while piece := await reader.read(_CHUNK):
            waiting.for_answer = False
            writer.write(piece)
            await writer.drain()


@dataclass
class _Waiting:
    """Whether something that was sent on a connection is not answered yet."""

    for_answer: bool = False


def _is_waited_for(words: Sequence[str]) -> bool:
    """Tell whether a request waits for a command, by its name and the text behind it."""
    return words[0].upper() not in _OF_NO_REQUEST and not any(_BESIDE in word for word in words[1:2])


@contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            writer.close()
