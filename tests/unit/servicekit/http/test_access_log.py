"""The access log: which request it was, without its address."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from hypothesis import example, given
from hypothesis import strategies as st

from servicekit.errors import BadRequest
from servicekit.http.access_log import AccessLog, LineForm
from servicekit.log_folding import Folding
from servicekit.log_writer import LogQueue
from servicekit.logs import log_event
from servicekit.problems import problems_middleware
from servicekit.reference import RequestId
from tests.stage.python_calls import python_calls
from tests.unit.servicekit.service_log import ServiceLog, queued, service_log


@pytest.fixture
def stream() -> Iterator[ServiceLog]:
    with service_log() as log:
        yield log


async def test_S35_the_access_log_has_the_route_and_never_the_address(stream: ServiceLog) -> None:
    logging.getLogger("aiohttp.access").setLevel(logging.INFO)

    async def handler(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/things", handler)
    app.router.add_get("/things/{id}", handler)
    runner = web.AppRunner(app, access_log_class=AccessLog, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession() as session:
            for path in ("/things?code=canary-code", "/things/canary-id?code=canary-code", "/canary-path"):
                async with session.get(url + path):
                    pass
    finally:
        await runner.cleanup()
        logging.getLogger("aiohttp.access").setLevel(logging.NOTSET)

    lines = [(line["method"], line["route"], line["status"]) for line in stream.lines()]
    assert lines == [("GET", "/things", 200), ("GET", "/things/{id}", 200), ("GET", "unknown", 404)]
    assert "canary" not in stream.getvalue()


async def test_L11_the_reference_that_a_person_quotes_leads_to_the_request(stream: ServiceLog) -> None:
    logging.getLogger("aiohttp.access").setLevel(logging.INFO)

    async def handler(_request: web.Request) -> web.Response:
        raise BadRequest

    app = web.Application(middlewares=[problems_middleware()])
    app.router.add_get("/things", handler)
    runner = web.AppRunner(app, access_log_class=AccessLog, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession() as session, session.get(f"{url}/things") as response:
            quoted = (await response.json())["reference"]
    finally:
        await runner.cleanup()
        logging.getLogger("aiohttp.access").setLevel(logging.NOTSET)

    (line,) = [line for line in stream.lines() if line["event"] == "request"]
    assert (line["reference"], line["problem"], line["status"]) == (quoted, "bad-request", 400)


def as_event(logger: logging.Logger, form: tuple[str, str], *told: Any) -> None:
    """Write what `LineForm.write` is told as an event like all others."""
    status, milliseconds, problem, request_id, stranger = told
    log_event(
        logger,
        logging.INFO,
        "request",
        stranger=stranger,
        reference=request_id.reference,
        method=form[0],
        route=form[1],
        status=status,
        milliseconds=milliseconds,
        problem=problem,
        request_id=request_id.text,
    )


def untimed(lines: list[str]) -> list[list[tuple[str, Any]]]:
    """Return the members of each line in their order, without when it was."""
    members = [list(json.loads(line).items()) for line in lines]
    assert [line[0][0] for line in members] == ["asctime"] * len(members)
    return [line[1:] for line in members]


texts = st.text(max_size=40)


@given(texts, texts, st.integers(100, 599), st.integers(0, 10**6), st.none() | texts)
@example("GET", 'a"b\\\u2028\x1b\ud800é', 200, 0, 'x"\n')
@example("GET", "/" + "x" * 3_000, 200, 7, None)
def test_L11_a_line_that_was_ready_is_the_line_of_the_event(
    method: str, route: str, status: int, milliseconds: int, problem: str | None
) -> None:
    told = (status, milliseconds, problem, RequestId.new(), None)
    with queued() as (logger, ended):
        LineForm(logger, method, route).write(*told)
        as_event(logger, (method, route), *told)
        ready, event = untimed(ended())

    # A route always has a name, and so has a method.
    assert [(name, value) for name, value in ready if value != ""] == event


def test_L11_strangers_are_counted_alike_whichever_way_their_lines_take() -> None:
    requests = [
        (
            200 if number % 3 else 404,
            4,
            None if number % 3 else "not-found",
            RequestId.new(),
            f"192.0.{number % 2}.0/24",
        )
        for number in range(600)
    ]
    with queued(folding=Folding(window_seconds=3_600)) as (logger, ended):
        form = LineForm(logger, "GET", "/things")
        for told in requests:
            form.write(*told)
        ready = untimed(ended())
    with queued(folding=Folding(window_seconds=3_600)) as (logger, ended):
        for told in requests:
            as_event(logger, ("GET", "/things"), *told)
        event = untimed(ended())

    assert ready == event
    assert len(ready) < len(requests) / 3
    assert sum(dict(line).get("repeated", 1) for line in ready) == len(requests)


def test_L11_lines_stay_in_the_order_in_which_they_were_said() -> None:
    with queued() as (logger, ended):
        form = LineForm(logger, "GET", "/things")
        for number in range(50):
            form.write(200, number, None, RequestId.new(), None)
            log_event(logger, logging.INFO, "between", milliseconds=number)
        lines = [json.loads(line) for line in ended()]

    said = [(line["event"], line["milliseconds"]) for line in lines]
    assert said == [(event, number) for number in range(50) for event in ("request", "between")]


def test_L11_a_line_that_finds_no_room_is_counted() -> None:
    with queued(most=0) as (logger, _):
        LineForm(logger, "GET", "/things").write(200, 4, None, RequestId.new(), None)

        (queue,) = logger.handlers
        assert isinstance(queue, LogQueue)
        assert queue.dropped == {"info": 1}


def test_L11_where_others_listen_as_well_each_of_them_hears_the_line() -> None:
    heard = io.StringIO()
    with queued(logging.StreamHandler(heard)) as (logger, ended):
        LineForm(logger, "GET", "/things").write(200, 4, None, RequestId.new(), None)

        assert len(ended()) == 1
    assert heard.getvalue() == "request\n"


async def routed() -> web.Request:
    """Return a request that a router has seen."""
    heard: asyncio.Queue[web.Request] = asyncio.Queue()

    async def handler(request: web.Request) -> web.Response:
        heard.put_nowait(request)
        return web.Response()

    app = web.Application()
    app.router.add_get("/things/{id}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with (
            ClientSession() as session,
            session.get(f"http://127.0.0.1:{runner.addresses[0][1]}/things/7"),
        ):
            return await heard.get()
    finally:
        await runner.cleanup()


def test_a_line_costs_a_few_calls_and_none_where_nobody_listens() -> None:
    request, response = asyncio.run(routed()), web.Response()
    with queued() as (logger, ended):
        access = AccessLog(logger, "")

        # 33 with Python 3.11, half of them aiohttp's; as an event it is some 140.
        assert python_calls(lambda: access.log(request, response, 0.004)) <= 45
        assert ended()
    quiet = logging.Logger("gateway.access", logging.WARNING)  # noqa: LOG001 - known to nobody else
    access = AccessLog(quiet, "")
    assert python_calls(lambda: access.log(request, response, 0.004)) <= 3
    assert python_calls(lambda: log_event(quiet, logging.INFO, "request", status=200)) <= 3
