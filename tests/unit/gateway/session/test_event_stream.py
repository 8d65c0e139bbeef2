"""One stream of events on a real connection: whoever does not read, whoever leaves, and whoever asks by HTTP/1.0."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.session.event_stream import StreamSeat, come_back
from gateway.session.watch import SessionEvent
from gateway.store.names import SessionRef
from servicekit.http.limited_handler import connections_of
from servicekit.http.quiet_server import QuietRunner
from tests.stage.patience import PATIENCE

LARGE = SessionEvent("access-changed", {"access": {"profile.edit": "x" * 20_000}}, "an-id")


class Telling:
    """A watch that finds something large at every look."""

    over = False
    mark = (b"1", b"1")
    changes_at = 1e12

    async def look(self) -> list[SessionEvent]:
        """Return what is new."""
        return [LARGE]


class Stage:
    """A server whose answer is a stream."""

    def __init__(self, runner: QuietRunner) -> None:
        self.runner = runner
        self.seats: list[StreamSeat] = []
        self.left: list[StreamSeat] = []
        self.connections = 0
        self.begun = asyncio.Event()

    async def handler(self, request: web.Request) -> web.StreamResponse:
        """Begin a stream."""
        self.connections = connections_of(request)
        seat = StreamSeat(
            SessionRef("family", "digest"),
            request,
            Telling(),  # type: ignore[arg-type]
            heartbeat=15,
            ends_at=600,
            monotonic=lambda: 0.0,
            redis_seconds=1,
            others=lambda: 0,
            leave=self.left.append,
        )
        self.seats.append(seat)
        try:
            await seat.begin([SessionEvent("", {}, "first")])
        except ConnectionError:
            seat.end()
        self.begun.set()
        return seat.answer

    def connect(self, version: str = "1.1") -> socket.socket:
        """Ask for a stream, with little room for what comes."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(self.runner.addresses[0][:2])
        client.sendall(f"GET / HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        return client


@asynccontextmanager
async def serving() -> AsyncIterator[Stage]:
    """Serve while the block runs."""
    app = web.Application()
    runner = QuietRunner(app, service="gateway", drain_seconds=0.1)
    stage = Stage(runner)
    app.router.add_get("/", stage.handler)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield stage
    finally:
        await runner.cleanup()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Give a server."""
    async with serving() as stage:
        yield stage


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)


async def filled(stage: Stage) -> StreamSeat:
    """Tell the one page so much that bytes wait for it."""
    await asyncio.wait_for(stage.begun.wait(), PATIENCE)
    (seat,) = stage.seats
    transport = seat._request.transport
    assert transport is not None
    while not transport.get_write_buffer_size():
        await seat.look()
        await asyncio.sleep(0)
    return seat


async def test_S52_a_reader_who_takes_nothing_is_told_so_much_and_no_more(stage: Stage) -> None:
    with stage.connect():
        seat = await filled(stage)
        transport = seat._request.transport
        most = 0
        while not seat.answer.over.done():
            await seat.look()
            assert transport is not None
            most = max(most, transport.get_write_buffer_size())
            await asyncio.sleep(0)

        assert most < 100_000
        await until(lambda: stage.left == [seat])


async def test_S52_who_takes_nothing_of_two_signs_of_life_is_left(stage: Stage) -> None:
    with stage.connect():
        seat = await filled(stage)
        transport = seat._request.transport
        assert transport is not None
        waiting = transport.get_write_buffer_size()

        seat.speak(15)
        assert (transport.get_write_buffer_size(), seat.speaks_at) == (waiting, 30), (
            "no sign is added to them"
        )
        assert not seat.answer.over.done()
        seat.speak(30)

        await until(lambda: stage.left == [seat])


async def test_a_page_that_leaves_at_once_or_later_gives_its_place_back_without_a_look(stage: Stage) -> None:
    for _ in range(5):
        stage.connect().close()
    with stage.connect():
        await until(lambda: bool(stage.seats) and stage.begun.is_set())

    await until(lambda: len(stage.left) == len(stage.seats) > 0)
    assert len(set(map(id, stage.left))) == len(stage.left), "each of them once"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_proxy_that_asks_by_http_1_0_gets_events_without_chunks_and_an_end(
    stage: Stage, version: str
) -> None:
    with stage.connect(version) as client:
        await asyncio.wait_for(stage.begun.wait(), PATIENCE)
        (seat,) = stage.seats
        seat.speak(15)
        await seat.look()
        seat.stop()
        client.setblocking(False)  # noqa: FBT003 - as the socket has it
        received = b""
        async with asyncio.timeout(PATIENCE):
            while version == "1.0" or not received.endswith(b"\r\n0\r\n\r\n"):
                piece = await asyncio.get_running_loop().sock_recv(client, 65536)
                received += piece
                if not piece:
                    break

    head, _, body = received.partition(b"\r\n\r\n")
    chunks = rb"\r\n[0-9a-f]+\r\n|^[0-9a-f]+\r\n|\r\n0\r\n\r\n$"
    assert (b"chunked" in head) == (version == "1.1")
    assert (re.search(chunks, body) is not None) == (version == "1.1")
    lines = re.sub(rb"\r\n$|" + chunks, b"", body).decode().split("\n")
    assert lines[0].startswith("retry: ")
    assert lines[1:4] == ["id: first", "", ":"]
    assert lines[5] == "event: access-changed"
    assert lines[-2].startswith("retry: "), "the page is told when to come back"


def retries(others: int) -> list[int]:
    """Return what a thousand pages are told, in milliseconds."""
    return [int(come_back(others).split()[1]) for _ in range(1000)]


def test_R19_pages_that_end_together_come_back_over_so_long_that_others_are_served() -> None:
    few, many = retries(0), retries(5000)

    assert all(2000 <= one <= 5000 for one in few + retries(700))
    assert all(2000 <= one <= 22_000 for one in many)
    assert max(many) > 20_000
    thirds = [sum(low <= one < low + 6667 for one in many) for low in (2000, 8667, 15_334)]
    assert min(thirds) > 200, "evenly"


async def test_L12_a_server_with_few_connections_knows_how_many(stage: Stage) -> None:
    stage.runner.connections.most = 64
    with stage.connect():
        await asyncio.wait_for(stage.begun.wait(), PATIENCE)
        assert stage.connections == 64
