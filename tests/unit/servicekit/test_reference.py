"""One id for one request: what it is made of, and who knows it (A6)."""

import asyncio
import json
import logging
import re
import string
import uuid
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, web
from aiohttp.typedefs import Middleware

from servicekit.bulkhead import BulkheadLimits
from servicekit.http.quiet_server import QuietRunner
from servicekit.logs import log_event
from servicekit.problems import problems_middleware
from servicekit.reference import (
    FORM,
    HEADER,
    RequestId,
    current_request_id,
    request_id_of,
)
from servicekit.token_threads import Purpose, TokenThreads
from tests.stage.references import tell_request_id, with_callers_reference, with_reference
from tests.unit.servicekit.service_log import service_log

GIVEN = "7c3f4d0e-5a61-4b0e-9f0d-3d2c6a1b8e55"

_log = logging.getLogger("servicekit.test")


def test_A6_the_reference_is_the_beginning_of_the_id_in_letters_for_the_telephone() -> None:
    first, last = (RequestId(str(uuid.UUID(int=value))) for value in (0, 2**128 - 1))
    assert (first.reference, last.reference) == ("0000-0000", "ZZZZ-ZZZZ")
    # 0x7c3f4d0e5a, five bits at a time.
    assert RequestId(GIVEN).reference == "FGZM-T3JT"


def test_A6_new_ids_differ_and_have_the_form() -> None:
    made = [RequestId.new() for _ in range(2_000)]
    assert len({one.reference for one in made}) == len(made)
    assert all(re.fullmatch(FORM, one.reference) for one in made)
    assert all(uuid.UUID(one.text).version == 4 for one in made)
    letters = {letter for one in made for letter in one.reference} - {"-"}
    assert letters == {*string.digits, *string.ascii_uppercase} - {*"ILOU"}


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "7K2M-9QXR",
        f"{{{GIVEN}}}",
        f"urn:uuid:{GIVEN}",
        GIVEN.replace("-", ""),
        f" {GIVEN}",
        f"{GIVEN}\n",
        f"{GIVEN}, {GIVEN}",
        GIVEN.replace("7", "\uff17"),
        "7c3f4d0e-5a61-4b0e-9f0d-3d2c6a1b8e5\ud800",
        "x" * 30_000,
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "7c3f4d0e-5a61-1b0e-9f0d-3d2c6a1b8e55",
        "0193abcd-5a61-7b0e-9f0d-3d2c6a1b8e55",
        "7c3f4d0e-5a61-4b0e-1f0d-3d2c6a1b8e55",
    ],
)
def test_A6_an_id_is_read_in_one_spelling_only_and_where_it_is_random(sent: str) -> None:
    assert RequestId.read(sent) is None


def test_A6_capital_letters_name_the_same_id() -> None:
    assert RequestId.read(GIVEN.upper()) == RequestId(GIVEN)


async def ask(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    middleware: Middleware,
    headers: dict[str, str] | None = None,
) -> tuple[str, str]:
    """Return what an application answers: its header, and its text."""
    app = web.Application(middlewares=[middleware, problems_middleware()])
    app.router.add_get("/", handler)
    app.on_response_prepare.append(tell_request_id)
    runner = QuietRunner(app, service="servicekit", drain_seconds=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with ClientSession() as session, session.get(url, headers=headers) as response:
            return response.headers[HEADER], await response.text()
    finally:
        await runner.cleanup()


async def working(_request: web.Request) -> web.Response:
    """Log in every way that a request's work takes, and end with a problem that has a reference."""

    async def beside() -> None:
        log_event(_log, logging.WARNING, "in-a-task")
        await asyncio.sleep(0)
        log_event(_log, logging.WARNING, "later-in-a-task")

    threads = TokenThreads(Purpose("test", BulkheadLimits(1, 0, 1)), now=lambda: 0.0, on_pause=None)
    log_event(_log, logging.WARNING, "in-the-handler")
    await asyncio.gather(beside(), asyncio.to_thread(log_event, _log, logging.WARNING, "in-a-thread"))
    await threads.run(lambda: log_event(_log, logging.WARNING, "in-a-thread-of-msal"), who=1)
    threads.close()
    asyncio.get_running_loop().call_soon(log_event, _log, logging.WARNING, "in-a-callback")
    await asyncio.sleep(0)
    logging.getLogger("aiohttp.client").warning("of an outer library")
    log_event(_log, logging.WARNING, "of-another", reference="0000-0000")
    raise web.HTTPNotFound


async def test_A6_every_line_that_a_request_causes_has_its_reference() -> None:
    with service_log() as log:
        logging.getLogger("servicekit.access").setLevel(logging.INFO)
        told, text = await ask(working, with_reference)
        log_event(_log, logging.WARNING, "outside")
        lines = {line["event"]: line for line in log.lines()}
    reference = json.loads(text)["reference"]
    assert reference == RequestId(told).reference
    assert "reference" not in lines.pop("outside")
    assert lines.pop("of-another")["reference"] == "0000-0000"
    assert {name: line["reference"] for name, line in lines.items()} == dict.fromkeys(
        [
            "in-the-handler",
            "in-a-task",
            "later-in-a-task",
            "in-a-thread",
            "in-a-thread-of-msal",
            "in-a-callback",
            "of an outer library",
            "request",
        ],
        reference,
    )
    assert lines["request"]["request_id"] == told


async def answering(request: web.Request) -> web.Response:
    current = current_request_id()
    assert current == request_id_of(request)
    assert current is not None
    return web.Response(text=current.reference)


async def test_A6_two_requests_of_one_connection_have_two_references() -> None:
    app = web.Application(middlewares=[with_reference])
    app.router.add_get("/", answering)
    runner = QuietRunner(app, service=None, drain_seconds=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2
            + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        texts = re.findall(FORM, (await reader.read()).decode())
        writer.close()
    finally:
        await runner.cleanup()
    assert len({*texts}) == 3


@pytest.mark.parametrize(
    "middleware, is_taken",
    [
        pytest.param(with_reference, False, id="strangers"),
        pytest.param(with_callers_reference, True, id="callers"),
    ],
)
async def test_A6_an_id_that_comes_in_is_taken_only_behind_another_service_of_ours(
    middleware: Middleware, *, is_taken: bool
) -> None:
    told, _ = await ask(answering, middleware, {HEADER: GIVEN.upper(), "X-Request-ID": GIVEN})
    assert (told == GIVEN) is is_taken
    if not is_taken:
        assert uuid.UUID(told).version == 4


async def test_A6_an_odd_id_is_replaced() -> None:
    told, _ = await ask(answering, with_callers_reference, {HEADER: f"{{{GIVEN}}}"})
    assert told != GIVEN
    assert uuid.UUID(told).version == 4
