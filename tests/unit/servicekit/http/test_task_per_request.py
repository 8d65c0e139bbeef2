"""Requests of a connection as tasks: one after the other, apart from each other, and nothing while there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import pytest
import uvloop
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.web_protocol import RequestHandler

from servicekit.http.task_per_request import TaskPerRequest
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.one_connection import get, served
from tests.unit.servicekit.http.site import until

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

LOOPS = pytest.mark.parametrize(
    "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)
# What of aiohttp's inside the class takes the place of, or goes by; our version is held to one minor.
MEMBERS = {
    *("_close", "_current_request", "_force_close", "_handler_waiter", "_keepalive", "_keepalive_handle"),
    *("_keepalive_timeout", "_lingering_time", "_logging_enabled", "_manager", "_messages"),
    *("_max_msg_queue_size", "_message_tail", "_msg_queue_resume_size", "_next_keepalive_close_time"),
    *("_payload_parser", "_request_count", "_request_factory", "_request_handler", "_request_in_progress"),
    *("_task_handler", "_waiter"),
}
OF_ALL_PROTOCOLS = {"_buffer_paused", "_loop", "_parser", "_paused", "_upgraded", "transport"}
METHODS = {
    *("_make_error_handler", "_process_keepalive", "_resume_reading_if_drained", "connection_made"),
    "data_received",
    *("finish_response", "force_close", "handle_error", "log_access", "log_exception", "start"),
}


async def path_of(request: web.BaseRequest) -> web.Response:
    return web.Response(text=request.path)


def run(loop_factory: LoopFactory, story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(told())


@LOOPS
def test_requests_that_came_together_are_answered_one_after_the_other(loop_factory: LoopFactory) -> None:
    at_work: list[str] = []
    together: list[int] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        at_work.append(request.path)
        await asyncio.sleep(0)
        together.append(len(at_work))
        at_work.remove(request.path)
        return web.Response(text=request.path)

    async def story() -> None:
        async with served(answer) as server:
            server.writer.write(b"".join(get(f"/{number}") for number in range(100)))
            assert [await server.said() for _ in range(100)] == [f"200 /{number}" for number in range(100)]

    run(loop_factory, story)
    assert together == [1] * 100


@LOOPS
@pytest.mark.parametrize("together", [True, False], ids=["in-one-piece", "one-by-one"])
def test_what_a_request_sets_the_next_one_of_its_connection_never_sees(
    loop_factory: LoopFactory,
    together: bool,  # noqa: FBT001 - a parameter
) -> None:
    whose: ContextVar[str] = ContextVar("whose", default="nobody")

    async def answer(request: web.BaseRequest) -> web.Response:
        before = whose.get()
        whose.set(request.path)
        if request.path == "/1":  # whoever stops and starts reading leaves its context in the loop, else
            request.protocol._pause_transport_reading()
            request.protocol._resume_transport_reading()
        await asyncio.sleep(0)
        return web.Response(text=f"{before} {whose.get()}")

    async def story() -> None:
        async with served(answer) as server:
            if together:
                server.writer.write(get("/1") + get("/2") + get("/3"))
            for path in ("/1", "/2", "/3"):
                if not together:
                    server.writer.write(get(path))
                assert await server.said() == f"200 nobody {path}"

    run(loop_factory, story)


@LOOPS
def test_a_connection_without_a_request_has_no_task(loop_factory: LoopFactory) -> None:
    async def story() -> None:
        before = asyncio.all_tasks()
        async with served(path_of) as server:
            await until(lambda: asyncio.all_tasks() == before)
            server.writer.write(get("/"))
            assert await server.said() == "200 /"
            await until(lambda: asyncio.all_tasks() == before)
            assert not server.handler.is_at_work

    run(loop_factory, story)


@LOOPS
def test_a_connection_is_kept_while_it_works_and_ended_when_it_is_idle_for_too_long(
    loop_factory: LoopFactory,
) -> None:
    may_end: list[asyncio.Event] = []

    async def answer(_request: web.BaseRequest) -> web.Response:
        may_end.append(asyncio.Event())
        await may_end[0].wait()
        return web.Response(text="done")

    async def story() -> None:
        async with served(answer, keepalive_timeout=0.05) as server:
            server.writer.write(get("/"))
            await until(lambda: bool(may_end))
            idle_is_over = server.handler._keepalive_handle
            await until(lambda: server.handler._keepalive_handle is not idle_is_over)
            may_end[0].set()
            assert await server.said() == "200 done"
            assert await server.rest() == b""

    run(loop_factory, story)


@LOOPS
@pytest.mark.parametrize(
    "error, status",
    [(web.HTTPNotFound, "404"), (TimeoutError, "504"), (ValueError, "500")],
    ids=["of-http", "timed-out", "unknown"],
)
def test_what_a_handler_raises_is_answered_as_aiohttp_answers_it(
    loop_factory: LoopFactory, error: type[Exception], status: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        raise error(text="not here") if error is web.HTTPNotFound else error("a secret")

    async def story() -> None:
        async with served(answer) as server:
            server.writer.write(get("/"))
            said = await server.said()
            assert said.startswith(status)
            assert "secret" not in said

    caplog.set_level("CRITICAL")
    run(loop_factory, story)


@LOOPS
def test_a_handler_that_is_cancelled_ends_its_connection_and_nothing_else(loop_factory: LoopFactory) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/cancelled":
            raise asyncio.CancelledError
        return web.Response(text="here")

    async def story() -> None:
        async with served(answer) as server:
            server.writer.write(get("/cancelled"))
            assert await server.rest() == b""
            await until(lambda: not server.manager.connections)

    run(loop_factory, story)


@LOOPS
def test_a_request_that_came_whole_is_worked_on_although_its_client_has_left(
    loop_factory: LoopFactory,
) -> None:
    seen: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append(request.path)
        return web.Response(text="here")

    async def story() -> None:
        async with served(answer) as server:
            handler = server.handler
            handler.data_received(get("/written"))
            handler.abandon()
            await until(lambda: bool(seen) and not server.manager.connections)

    run(loop_factory, story)
    assert seen == ["/written"]


@LOOPS
def test_whoever_waits_for_a_body_hears_that_its_client_has_left_at_once(loop_factory: LoopFactory) -> None:
    heard: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        try:
            await request.read()
        except ConnectionError as error:
            heard.append(type(error).__name__)
            raise
        return web.Response(text="never")

    async def story() -> None:
        async with served(answer) as server:
            handler = server.handler
            handler.data_received(get("/", "Content-Length: 5") + b"half")
            handler.abandon()
            await until(lambda: bool(heard) and not server.manager.connections)

    run(loop_factory, story)


@LOOPS
def test_the_end_of_a_server_waits_for_a_request_under_way_and_begins_none(loop_factory: LoopFactory) -> None:
    begun: list[str] = []
    may_end: list[asyncio.Event] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        begun.append(request.path)
        may_end.append(asyncio.Event())
        await may_end[-1].wait()
        return web.Response(text="done")

    async def story() -> None:
        async with served(answer) as server:
            server.writer.write(get("/1") + get("/2"))
            await until(lambda: bool(may_end))
            ending = asyncio.create_task(server.manager.shutdown(PATIENCE))
            await until(lambda: server.handler._handler_waiter is not None)
            may_end[0].set()
            assert await server.said() == "200 done"
            assert await server.rest() == b""
            await ending

    run(loop_factory, story)
    assert begun == ["/1"]


@LOOPS
@pytest.mark.parametrize("comes", [True, False], ids=["comes", "never-comes"])
def test_the_rest_of_a_body_that_nobody_read_is_waited_for_before_the_next_request(
    loop_factory: LoopFactory,
    comes: bool,  # noqa: FBT001 - a parameter
) -> None:
    async def story() -> None:
        async with served(path_of, lingering_time=PATIENCE if comes else 0.01) as server:
            server.writer.write(get("/1", "Content-Length: 4") + b"so")
            assert await server.said() == "200 /1"
            if comes:
                server.writer.write(b"me" + get("/2"))
                assert await server.said() == "200 /2"
            else:
                assert await server.rest() == b""

    run(loop_factory, story)


@LOOPS
def test_whoever_sends_on_after_a_refusal_still_reads_it(loop_factory: LoopFactory) -> None:
    async def story() -> None:
        async with served(path_of) as server:
            server.writer.write(b"GET /" + b"x" * 2_000_000)
            assert (await server.rest()).split()[1] == b"400"
            server.writer.close()
            await until(lambda: not server.manager.connections)

    run(loop_factory, story)


def test_what_of_aiohttps_inside_a_task_per_request_goes_by_is_there() -> None:
    assert set(RequestHandler.__slots__) >= MEMBERS
    assert set(BaseProtocol.__slots__) >= OF_ALL_PROTOCOLS
    assert set(vars(RequestHandler)) >= METHODS
    own = {name for name in vars(TaskPerRequest) if name in vars(RequestHandler) and name[:2] != "__"}
    assert own == {"connection_made", "data_received", "start"}
