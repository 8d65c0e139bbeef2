"""Log lines: named fields, and no value that rode in on an exception (S35)."""

import enum
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servicekit.log_writer import LogQueue
from servicekit.logs import JsonLines, configure_logs, log_event
from tests.unit.servicekit.service_log import ServiceLog, queued, service_log


@pytest.fixture
def stream() -> Iterator[ServiceLog]:
    with service_log() as log:
        yield log


def test_U38_an_event_is_one_json_line_with_its_fields(stream: ServiceLog) -> None:
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


def test_U38_a_terminal_gets_short_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with service_log():  # which puts back what is changed here
        configure_logs(stream=stream)
        log_event(logging.getLogger("gateway"), logging.INFO, "signed-in", tabs=2)

    assert stream.getvalue() == "info    gateway  signed-in  tabs=2\n"


def test_L11_a_line_says_when_it_was_in_utc(stream: ServiceLog) -> None:
    record = logging.makeLogRecord({"name": "gateway", "levelno": 20, "levelname": "INFO", "msg": "then"})
    for record.created in (1_795_724_100.1234, 0.0, 1_795_724_100):
        logging.getLogger("gateway").handle(record)

    assert [line["asctime"] for line in stream.lines()] == [
        "2026-11-26T20:15:00.123Z",
        "1970-01-01T00:00:00.000Z",
        "2026-11-26T20:15:00.000Z",
    ]


def test_L11_a_long_line_is_shortened_to_what_a_pipe_takes_in_one_piece_and_stays_json(
    stream: ServiceLog,
) -> None:
    def falls(depth: int) -> None:
        if depth:
            falls(depth - 1)
        raise RuntimeError

    try:
        falls(200)
    except RuntimeError as fault:
        log_event(logging.getLogger("gateway"), logging.ERROR, "broke", fault=fault, text="é" * 5_000)

    (line,) = stream.lines()
    assert len(stream.getvalue()) < 4_096
    assert (line["event"], line["text"][:2], line["text"][-1]) == ("broke", "éé", "…")
    assert line["traceback"][0] == "RuntimeError"
    assert "falls" in line["traceback"][-1]


class Kind(enum.Enum):
    """Any kind of ours."""

    ONE = "one"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [Kind.ONE, Path("/a"), datetime(2026, 11, 27, tzinfo=UTC), b"bytes", ValueError("canary")]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([logging.DEBUG, logging.INFO, 25]), st.dictionaries(st.sampled_from("abc"), values))
@example(logging.INFO, {"a": "é" * 5_000, "b": list(range(100))})
@example(logging.INFO, {"name": "another", "asctime": "now", "levelname": ""})
def test_L11_an_event_is_the_same_line_to_the_queue_as_to_anybody_else(
    level: int, fields: dict[str, Any]
) -> None:
    elsewhere = io.StringIO()
    handler = logging.StreamHandler(elsewhere)
    handler.setFormatter(JsonLines())
    plain = logging.Logger("gateway.x", logging.DEBUG)  # noqa: LOG001 - known to nobody else
    plain.addHandler(handler)
    with queued() as (logger, ended):
        logger.name = plain.name
        logger.setLevel(logging.DEBUG)
        for each in (logger, plain):
            log_event(each, level, "happened", **fields)
        (line,) = ended()

    mine, theirs = (json.loads(text, parse_constant=str) for text in (line, elsewhere.getvalue()))
    if "asctime" not in fields:
        del mine["asctime"], theirs["asctime"]
    assert list(mine.items()) == list(theirs.items())


def test_L11_an_event_that_makes_no_line_hurts_nobody_and_is_counted() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with queued() as (logger, ended):
        log_event(logger, logging.INFO, "odd", circle=circle)
        log_event(logger, logging.INFO, "even")

        (queue,) = logger.handlers
        assert isinstance(queue, LogQueue)
        assert queue.dropped == {"unreadable": 1}
        assert {json.loads(line)["event"] for line in ended()} >= {"even"}
