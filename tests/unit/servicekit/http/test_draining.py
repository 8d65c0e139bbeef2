"""The end of a server's connections, and the change of the application behind them, on real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from servicekit.http.listening import listening_socket
from servicekit.http.quiet_server import QuietRunner
from servicekit.http.serving import serving
from tests.stage.patience import PATIENCE

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Held:
    """An application whose answers wait, and that notes its end."""

    text: str
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._answer)
        app.router.add_post("/", self._read)
        app.router.add_get("/held", self._hold)
        app.on_cleanup.append(self._end)
        return app

    async def _answer(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.text)

    async def _read(self, request: web.Request) -> web.Response:
        self.arrived.set()
        return web.Response(text=await request.text())

    async def _hold(self, _request: web.Request) -> web.Response:
        self.arrived.set()
        await self.go_on.wait()
        return web.Response(text=self.text)

    async def _end(self, _app: web.Application) -> None:
        self.ended.set()


@dataclass
class Served:
    """A server, its listening socket, and what tells it to wait for nobody."""

    runner: QuietRunner
    listener: socket.socket
    port: int
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def drain(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.runner.drain(self.listener, self.abandoned)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give a listening socket, as a process makes it before it has a loop."""
    with listening_socket("127.0.0.1", 0) as one:
        yield one


@asynccontextmanager
async def served(held: Held, listener: socket.socket) -> AsyncIterator[Served]:
    port = listener.getsockname()[1]
    runner = QuietRunner(held.app(), service="gateway", drain_seconds=PATIENCE)
    async with serving((runner, listener)):
        yield Served(runner, listener, port)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_of(reader: asyncio.StreamReader) -> tuple[bool, str]:
    """Return whether the answer is the connection's last, and its text."""
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = [int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
        return b"Connection: close" in head, (await reader.readexactly(length)).decode()


async def test_L7_whoever_the_system_let_in_is_answered_and_nobody_after(listener: socket.socket) -> None:
    def ask_all() -> list[socket.socket]:
        """Connect and ask while the loop stands still, so that none of them is taken up yet."""
        waiting = [socket.create_connection(listener.getsockname(), timeout=PATIENCE) for _ in range(40)]
        for connection in waiting:
            connection.sendall(GET)
        return waiting

    def statuses(waiting: list[socket.socket]) -> list[bytes]:
        statuses = []
        for connection in waiting:
            with connection:
                statuses.append(connection.recv(4096)[:12])
        return statuses

    async with served(Held("here"), listener) as one:
        waiting = ask_all()

        await one.drain()

        assert await asyncio.to_thread(statuses, waiting) == [b"HTTP/1.1 200"] * 40
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", one.port)


async def test_L7_a_connection_that_was_just_opened_has_a_moment_for_its_request(
    listener: socket.socket,
) -> None:
    async with served(Held("here"), listener) as one, connected(one.port) as (reader, writer):
        draining = asyncio.create_task(one.drain())
        async with asyncio.timeout(PATIENCE):
            while one.runner.sites:  # noqa: ASYNC110 - aiohttp wakes nobody
                await asyncio.sleep(0)
        writer.write(GET)

        assert await answer_of(reader) == (True, "here")
        await draining


async def test_L7_a_body_that_is_on_its_way_is_read_to_its_end(listener: socket.socket) -> None:
    held = Held("here")
    async with served(held, listener) as one, connected(one.port) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
        await asyncio.wait_for(held.arrived.wait(), PATIENCE)
        draining = asyncio.create_task(one.drain())
        async with asyncio.timeout(PATIENCE):
            while one.runner.sites:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0)
        writer.write(b"def")

        assert await answer_of(reader) == (True, "abcdef")
        await draining


async def test_L8_an_idle_connection_is_closed_in_good_order_and_holds_nothing_up(
    listener: socket.socket,
) -> None:
    async with served(Held("here"), listener) as one, connected(one.port) as (reader, writer):
        writer.write(GET)
        assert await answer_of(reader) == (False, "here")

        await one.drain()

        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""


async def test_L8_before_the_end_each_answer_is_the_last_on_its_connection(listener: socket.socket) -> None:
    async with served(Held("here"), listener) as one, connected(one.port) as (reader, writer):
        one.runner.close_after_answers()
        writer.write(GET)

        assert await answer_of(reader) == (True, "here")
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""


async def test_L8_what_is_abandoned_is_not_waited_for(listener: socket.socket) -> None:
    held = Held("here")
    async with served(held, listener) as one, connected(one.port) as (_, writer):
        writer.write(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(held.arrived.wait(), PATIENCE)
        draining = asyncio.create_task(one.drain())
        await asyncio.sleep(0)
        assert not draining.done()

        one.abandoned.set()

        await draining


async def test_L8_a_new_application_answers_on_the_same_connection_and_the_one_of_before_ends_what_it_began(
    listener: socket.socket,
) -> None:
    before, now = Held("before"), Held("now")
    async with (
        served(before, listener) as one,
        connected(one.port) as (slow, slow_writer),
        connected(one.port) as (reader, writer),
    ):
        writer.write(GET)
        assert await answer_of(reader) == (False, "before")
        slow_writer.write(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(before.arrived.wait(), PATIENCE)

        await one.runner.exchange(now.app())

        writer.write(GET)
        assert await answer_of(reader) == (False, "now")
        assert not before.ended.is_set()
        before.go_on.set()
        assert await answer_of(slow) == (False, "before")
        await asyncio.wait_for(before.ended.wait(), PATIENCE)
        assert not now.ended.is_set()
    assert now.ended.is_set()


async def test_L8_an_application_that_cannot_start_changes_nothing(listener: socket.socket) -> None:
    async def fail(_app: web.Application) -> None:
        raise RuntimeError("cannot start")

    broken, before = web.Application(), Held("before")
    broken.on_startup.append(fail)
    async with served(before, listener) as one, connected(one.port) as (reader, writer):
        with pytest.raises(RuntimeError, match="cannot start"):
            await one.runner.exchange(broken)

        writer.write(GET)
        assert await answer_of(reader) == (False, "before")
        assert not before.ended.is_set()
