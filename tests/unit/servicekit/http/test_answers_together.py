"""Short answers of one turn of the event loop go out together at its end; a connection is at work until its own has."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from contextvars import ContextVar

import pytest
import uvloop
from aiohttp import web
from multidict import CIMultiDict

from servicekit.http.answers import Answer
from servicekit.http.limited_handler import LimitedHandler
from servicekit.http.task_per_request import SHORT_BYTES
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.one_connection import Served, get, served
from tests.unit.servicekit.http.site import until

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

WHOSE: ContextVar[str] = ContextVar("whose", default="nobody")
LOOPS = pytest.mark.parametrize(
    "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)


class Every:
    """Says in each answer for whom it was made."""

    def lines(self, _request: web.Request, _own: CIMultiDict[str]) -> bytes:
        return f"Whose: {WHOSE.get()}\r\n".encode()

    def usual_lines(self) -> None:
        return None


def answer_of(body: bytes) -> Answer:
    answer = Answer(body, content_type="text/plain")
    answer.every = Every()
    return answer


class Crowd:
    """Handlers of some requests, all of which go on in one turn, once `all_go_on`."""

    def __init__(self) -> None:
        self.handlers: list[LimitedHandler] = []
        self.answered: list[list[bool]] = []
        self.ends: Callable[[web.BaseRequest], object] = lambda _: None
        self.body = b"done"
        self._may_go_on = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        handler = request.protocol
        assert isinstance(handler, LimitedHandler)
        self.handlers.append(handler)
        WHOSE.set(request.path)
        await self._may_go_on.wait()
        self.answered.append([one.is_answered for one in self.handlers])
        self.ends(request)
        return answer_of(self.body)

    def all_go_on(self) -> None:
        self._may_go_on.set()


def run(
    loop_factory: LoopFactory, number: int, story: Callable[[Crowd, list[Served]], Awaitable[None]]
) -> None:
    """Let so many connections ask at once, and the story go on from there."""

    async def asked() -> None:
        crowd = Crowd()
        async with AsyncExitStack() as servers:
            all_of_them = [await servers.enter_async_context(served(crowd)) for _ in range(number)]
            for place, server in enumerate(all_of_them):
                server.writer.write(get(f"/{place}"))
                await until(lambda place=place: len(crowd.handlers) > place)  # type: ignore[misc]
            await story(crowd, all_of_them)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asked())


@LOOPS
def test_each_answer_is_its_own_request_s_and_in_its_context(loop_factory: LoopFactory) -> None:
    async def story(crowd: Crowd, servers: list[Served]) -> None:
        crowd.all_go_on()
        for place, server in enumerate(servers):
            head = (await server.reader.readuntil(b"\r\n\r\n")).decode()
            assert f"Whose: /{place}\r\n" in head
            assert await server.reader.readexactly(4) == b"done"

    run(loop_factory, 5, story)


def both_of_one_server(loop_factory: LoopFactory, body: bytes) -> list[list[bool]]:
    """Return who was answered already when each of two requests of one server had its answer."""

    async def asked() -> list[list[bool]]:
        crowd = Crowd()
        crowd.body = body
        async with served(crowd) as server:
            sockets = server.writer.get_extra_info("peername")
            reader, writer = await asyncio.open_connection(*sockets)
            server.writer.write(get("/0"))
            await until(lambda: len(crowd.handlers) == 1)
            writer.write(get("/1"))
            await until(lambda: len(crowd.handlers) == 2)
            crowd.all_go_on()
            assert await server.said() == f"200 {body.decode()}"
            assert await Served(server.manager, reader, writer).said() == f"200 {body.decode()}"
            writer.close()
        return crowd.answered

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(asked())


@LOOPS
def test_short_answers_of_one_turn_wait_for_its_end_and_long_ones_do_not(loop_factory: LoopFactory) -> None:
    assert both_of_one_server(loop_factory, b"x" * SHORT_BYTES) == [[False, False], [False, False]]
    assert both_of_one_server(loop_factory, b"x" * (SHORT_BYTES + 1)) == [[False, False], [True, False]]


@LOOPS
def test_whoever_leaves_before_the_end_of_the_turn_takes_nobody_s_answer_along(
    loop_factory: LoopFactory,
) -> None:
    def leaves(request: web.BaseRequest) -> None:
        transport = request.transport
        if request.path == "/0" and transport is not None:
            asyncio.get_running_loop().call_soon(transport.abort)

    async def story(crowd: Crowd, servers: list[Served]) -> None:
        crowd.ends = leaves
        crowd.all_go_on()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await servers[0].said()
        assert await servers[1].said() == "200 done"
        await until(lambda: not servers[0].manager.connections)

    run(loop_factory, 2, story)


@LOOPS
def test_the_end_of_a_server_waits_for_an_answer_that_waits_for_the_end_of_the_turn(
    loop_factory: LoopFactory,
) -> None:
    endings: list[asyncio.Task[None]] = []

    async def story(crowd: Crowd, servers: list[Served]) -> None:
        (server,) = servers

        def end(_request: web.BaseRequest) -> None:
            endings.append(asyncio.create_task(server.manager.shutdown(PATIENCE)))

        crowd.ends = end
        crowd.all_go_on()
        assert await server.said() == "200 done"
        assert await server.rest() == b""
        await endings[0]

    run(loop_factory, 1, story)


@LOOPS
def test_requests_in_line_follow_an_answer_that_waited(loop_factory: LoopFactory) -> None:
    async def story(crowd: Crowd, servers: list[Served]) -> None:
        (server,) = servers
        crowd.all_go_on()
        server.writer.write(get("/1") + get("/2", "Connection: close"))
        assert [await server.said() for _ in range(3)] == ["200 done"] * 3
        assert await server.rest() == b"", "the last one said that it is"

    run(loop_factory, 1, story)
