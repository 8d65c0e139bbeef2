"""Log lines: named fields, and no value that rode in on an exception (S35)."""

import io
import logging
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession, web

from servicekit.logs import AccessLog, configure_logs, log_event
from tests.unit.servicekit.service_log import ServiceLog, service_log


@pytest.fixture
def stream() -> Iterator[ServiceLog]:
    with service_log() as log:
        yield log


def test_an_event_is_one_json_line_with_its_fields(stream: ServiceLog) -> None:
    log_event(logging.getLogger("gateway.x"), logging.INFO, "signed-in", tabs=2, none=None, empty="")

    (line,) = stream.lines()
    assert (line["event"], line["tabs"], line["levelname"], line["name"]) == (
        "signed-in",
        2,
        "INFO",
        "gateway.x",
    )
    assert "none" not in line
    assert "empty" not in line


def test_S35_line_breaks_stay_inside_the_line(stream: ServiceLog) -> None:
    log_event(
        logging.getLogger("gateway"), logging.INFO, "odd", text='a\r\nb\u2028c" {"event":"forged"}\x1b[31m'
    )

    (line,) = stream.lines()
    assert line["event"] == "odd"
    assert "\x1b" not in stream.getvalue()


def test_S35_a_fault_is_told_without_its_text(stream: ServiceLog) -> None:
    def breaks() -> None:
        secret = "canary-local"
        try:
            int(f"canary-value {secret}")
        except ValueError as error:
            raise RuntimeError(f"canary-message {secret}") from error

    try:
        breaks()
    except RuntimeError as error:
        log_event(logging.getLogger("servicekit"), logging.ERROR, "broke", fault=error)

    (line,) = stream.lines()
    assert "canary" not in stream.getvalue()
    assert {"RuntimeError", "ValueError"} <= set(line["traceback"])
    assert any("test_logs.py" in entry and "breaks" in entry for entry in line["traceback"])


@pytest.mark.parametrize("name", ["msal", "aiohttp.client", "urllib3", "redis", "asyncio"])
def test_S35_outer_libraries_stay_quiet_at_every_level(stream: ServiceLog, name: str) -> None:
    configure_logs(level="DEBUG", stream=stream)
    logging.getLogger(name).debug("canary")
    logging.getLogger(name).info("canary")
    logging.getLogger("resource_api").debug("ours")

    assert "canary" not in stream.getvalue()
    assert "ours" in stream.getvalue()


def test_a_terminal_gets_short_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = Terminal()
    try:
        configure_logs(stream=stream)
        log_event(logging.getLogger("gateway"), logging.INFO, "signed-in", tabs=2)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

    assert stream.getvalue() == "info    gateway  signed-in  tabs=2\n"


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
