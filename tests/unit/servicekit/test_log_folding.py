"""Warnings of one kind are folded; people, errors and everything else stay seen (L11)."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from servicekit.log_folding import Folding


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def record(event: str = "odd", level: int = logging.WARNING, **fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {
            "name": "gateway.x",
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": event,
            "event_fields": fields,
        }
    )


def told(folding: Folding) -> list[tuple[str, dict[str, Any]]]:
    return [(str(counted.msg), counted.event_fields) for counted in folding.due()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_L11_the_first_ones_are_written_and_then_one_with_a_count(level: int) -> None:
    clock = Clock()
    folding = Folding(now=clock)

    folded = [
        folding.takes(record(level=level, why="full", reference=f"R{number}", traceback=["x"]))
        for number in range(100)
    ]
    assert folded == [False] * 5 + [True] * 95
    assert told(folding) == [], "its time is not over"

    clock.now += 10
    (counted,) = folding.due()
    assert (counted.name, counted.levelno, counted.msg) == ("gateway.x", level, "odd")
    assert counted.event_fields == {  # type: ignore[attr-defined]
        "why": "full",
        "repeated": 95,
        "references": [f"R{number}" for number in range(5, 25)],
    }
    assert told(folding) == []
    assert not folding.takes(record(level=level, why="full")), "the next window begins with its first ones"


@pytest.mark.parametrize(
    "others",
    [
        [record(session=f"s{number}") for number in range(50)],
        [record(event=f"odd-{number}") for number in range(50)],
        [record(reason=[number]) for number in range(50)],
        [record(level=logging.INFO) for _ in range(50)],
        [record(level=logging.DEBUG) for _ in range(50)],
        [record(level=(logging.WARNING, logging.ERROR)[number % 2]) for number in range(10)],
    ],
    ids=["people", "events", "causes", "what is no warning", "not even that", "levels"],
)
def test_L11_what_is_of_another_kind_is_written(others: list[logging.LogRecord]) -> None:
    folding = Folding(now=Clock())

    assert not any(folding.takes(other) for other in others)
    assert folding.due(at_the_end=True) == []


def test_L11_what_differs_in_every_line_makes_no_kind() -> None:
    folding = Folding(now=Clock(), first=1)

    folded = [folding.takes(record(reference=n, milliseconds=n, seconds=n)) for n in range(3)]

    assert folded == [False, True, True]


def test_L11_an_outer_library_that_names_an_object_each_time_is_folded_too() -> None:
    folding = Folding(now=Clock(), first=1)

    def asyncio_says(number: int) -> logging.LogRecord:
        text = f"socket.accept() out of system resource\nsocket: <asyncio.TransportSocket fd={number}>"
        fault = OSError("too many open files")
        return logging.LogRecord("asyncio", 40, "base_events.py", 1, text, (), (OSError, fault, None))

    folded = [folding.takes(asyncio_says(number)) for number in range(3)]

    assert folded == [False, True, True]
    (counted,) = folding.due(at_the_end=True)
    assert (counted.getMessage(), counted.exc_info) == ("socket.accept() out of system resource", None)
    assert counted.event_fields == {"repeated": 2}  # type: ignore[attr-defined]


def test_L11_faults_that_were_met_at_different_places_are_of_different_kinds() -> None:
    folding = Folding(now=Clock(), first=1)

    def here() -> None:
        raise OSError

    def there() -> None:
        raise OSError

    def handled(fails: Callable[[], None]) -> logging.LogRecord:
        try:
            fails()
        except OSError:
            return logging.LogRecord(
                "aiohttp.server", 40, "x.py", 1, "Unhandled exception", (), sys.exc_info()
            )
        raise AssertionError

    assert [folding.takes(handled(fails)) for fails in (here, there, here)] == [False, False, True]


def test_L11_more_kinds_than_are_remembered_are_written_as_they_are() -> None:
    clock = Clock()
    folding = Folding(now=clock, first=1)
    for number in range(1_000):
        assert not folding.takes(record(session=number))

    assert [folding.takes(record(session="late")) for _ in range(3)] == [False] * 3
    clock.now += 10
    folding.due()
    assert [folding.takes(record(session="late")) for _ in range(3)] == [False, True, True]
