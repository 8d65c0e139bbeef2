"""The access log: which request it was, without its address."""

import logging
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession, web

from servicekit.errors import BadRequest
from servicekit.http.access_log import AccessLog
from servicekit.problems import problems_middleware
from tests.unit.servicekit.service_log import ServiceLog, service_log


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
