"""A load client of our own: many connections that ask again as soon as they are answered, in one process.

Owns connecting, asking and reading answers with a length or in chunks, over HTTP/1.1 on loopback. Counts every
request that was begun: answered, reset, refused, or without an answer when time is up. Never follows or retries.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from benchmarks.game_day.tally import REFUSED, RESET, SILENT, Tally

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSES: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"
_CONNECTS_AT_ONCE: Final = 200
_PAUSE_SECONDS: Final = 0.02
_LONG_SECONDS: Final = 2
_ANSWER_SECONDS: Final = 10


def request(host: str, cookie: str, path: str, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request to a JSON endpoint as it is sent; `host` is what the browser's address says."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "X-CSRF: 1", "Accept: application/json"]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if body or method not in {"GET", "HEAD"}:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    """One connection: asks, reads, counts, asks again until it is told to stop or has asked often enough."""

    def __init__(self, asked: bytes, tally: Tally, times: int | None, pause: float) -> None:
        self._asked = asked
        self._tally = tally
        self._left = times
        self._pause = pause
        self._buffer = b""
        self._began: float | None = None
        self._transport: asyncio.Transport | None = None
        self._stopped = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(_HEAD_END)
        if not found:
            return
        length = _LENGTH.search(head)
        if length:
            if len(rest) < int(length[1]):
                return
        elif _CHUNKED.search(head) and not rest.endswith(_LAST_CHUNK):
            return
        status = int(head[9:12])
        if self._began is not None:
            self._tally.answer(status, rest, time.perf_counter() - self._began)
        self._began, self._buffer = None, b""
        if self._left == 0 or self._stopped or _CLOSES.search(head):
            self._close()
        elif self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._ask)
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended is one to who asked
        if self._began is not None:
            self._tally.failure(RESET)
            self._began = None
        if not self.ended.done():
            self.ended.set_result(None)

    def stop(self) -> None:
        """Give up what is under way, uncounted unless it took long: time is up for the load, not for the answer."""
        self._stopped = True
        if self._began is not None and time.perf_counter() - self._began > _LONG_SECONDS:
            self._tally.failure(SILENT)
        self._began = None
        self._close()

    def give_up(self) -> None:
        """Count what is under way as not answered."""
        if self._began is not None:
            self._tally.failure(SILENT)
            self._began = None
        self.stop()

    def _ask(self) -> None:
        if self._stopped or self._transport is None or self._transport.is_closing():
            return
        if self._left is not None:
            self._left -= 1
        self._began = time.perf_counter()
        self._transport.write(self._asked)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def ask_again_and_again(
    port: int,
    asked: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    pause: float = 0,
    uncounted: float = 0,
) -> Tally:
    """Keep `connections` asking for so long; each with one of the requests, in turn. Returns what came of it.

    Before that, nothing is counted until as many answers have come as there are connections, or `uncounted` seconds
    have passed: a crowd that has just come costs what connecting costs.

    A connection that ends is opened anew. What is under way when time is up counts only where it took long.
    """
    tally = Tally()
    connecting = asyncio.Semaphore(_CONNECTS_AT_ONCE)
    open_now: set[_Connection] = set()

    def connection(text: bytes) -> _Connection:
        made = _Connection(text, tally, None, pause)
        open_now.add(made)
        made.ended.add_done_callback(lambda _: open_now.discard(made))
        return made

    async def keep_asking(text: bytes) -> None:
        while True:
            async with connecting:
                made = await _connected(port, tally, lambda: connection(text))
            if made is not None:
                await asyncio.wait([made.ended])  # which giving up here does not cancel
            else:
                await asyncio.sleep(_PAUSE_SECONDS)

    tasks = [asyncio.create_task(keep_asking(asked[n % len(asked)])) for n in range(connections)]
    began = time.perf_counter()
    while tally.total < connections and time.perf_counter() - began < uncounted:  # noqa: ASYNC110 - polled at no cost that counts
        await asyncio.sleep(_PAUSE_SECONDS)
    if uncounted:
        tally.forget()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    for made in tuple(
        open_now
    ):  # first, so that an end that we bring about is not counted as the other side's
        made.stop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tally.seconds = time.perf_counter() - began
    return tally


async def ask_once_each(port: int, asked: Sequence[bytes], *, patience: float) -> Tally:
    """Ask everything at the same time, each by a connection of its own; who waits longer has no answer."""
    tally = Tally()
    began = time.perf_counter()
    made = [
        one for one in await asyncio.gather(*(_once(port, text, tally) for text in asked)) if one is not None
    ]
    if made:
        await asyncio.wait([one.ended for one in made], timeout=patience)
    for one in made:
        one.give_up()
    tally.seconds = time.perf_counter() - began
    return tally


async def ask_by_new_connections(
    port: int, asked: Sequence[bytes], *, every: float, seconds: float, patience: float = 10
) -> Tally:
    """Ask once every so often, each time by a new connection, whatever became of those before."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    began = loop.time()
    asking: list[asyncio.Task[Tally]] = []
    while loop.time() - began < seconds:
        text = asked[len(asking) % len(asked)]
        asking.append(asyncio.create_task(ask_once_each(port, [text], patience=patience)))
        await asyncio.sleep(max(0, began + len(asking) * every - loop.time()))
    for one in await asyncio.gather(*asking):
        tally.add(one)
    tally.seconds = loop.time() - began
    return tally


async def _once(port: int, text: bytes, tally: Tally) -> _Connection | None:
    return await _connected(port, tally, lambda: _Connection(text, tally, 1, 0))


async def _connected(port: int, tally: Tally, make: Callable[[], _Connection]) -> _Connection | None:
    try:
        _, made = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
    except OSError:
        tally.failure(REFUSED)
        return None
    return made


@asynccontextmanager
async def held_open(port: int, asked: Sequence[bytes]) -> AsyncIterator[list[bytes]]:
    """Hold a connection open for each of these, after sending it; gives the first line of each answer.

    Nothing is read where nothing is sent: such a connection only stays.
    """
    ends: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    answers: list[bytes] = []
    try:
        for text in asked:
            # The reader is kept, too: without it asyncio would cut the connection.
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            ends.append((reader, writer))
            if text:
                writer.write(text)
                answers.append(await asyncio.wait_for(reader.readline(), _ANSWER_SECONDS))
        yield answers
    finally:
        for _, writer in ends:
            writer.transport.abort()


async def seconds_until_all_well(port: int, asked: Sequence[bytes], *, patience: float = 15) -> float:
    """Ask again and again until everything is answered 200; return how long that took, `patience` at most."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < patience:
        if (await ask_once_each(port, asked, patience=5)).all_are("200"):
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    return loop.time() - began
