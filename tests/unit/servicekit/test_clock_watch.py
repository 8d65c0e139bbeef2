"""Two clocks that differ: told once an hour, with the seconds, whose clock it is and what to do."""

import logging
from email.utils import formatdate

import pytest

from servicekit.clock_watch import TOLERATED_SECONDS, ClockWatch
from tests.stage.tenant import MovableClock

NOW = 1_750_000_000.0


def test_L3_a_difference_is_told_with_its_seconds_and_whose_clock_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[int] = []
    watch = ClockWatch("Redis", now=lambda: NOW, on_difference=seen.append, remedy="do this")

    with caplog.at_level(logging.WARNING):
        assert watch.compare_time(NOW + 300) == -300

    (record,) = caplog.records
    assert record.getMessage() == "clocks-differ"
    told = vars(record)["event_fields"]
    assert told["seconds"] == -300
    assert told["whose"] == "Redis"
    assert told["meaning"] == "the clocks differ by 300 s, and ours is behind that of Redis"
    assert told["remedy"] == "do this"
    assert seen == [-300]


@pytest.mark.parametrize("apart", [0, TOLERATED_SECONDS, -TOLERATED_SECONDS])
def test_L3_what_is_tolerated_is_counted_and_not_told(caplog: pytest.LogCaptureFixture, apart: int) -> None:
    seen: list[int] = []

    ClockWatch(now=lambda: NOW, on_difference=seen.append).compare(formatdate(NOW - apart, usegmt=True))

    assert seen == [apart]
    assert caplog.records == []


def test_L3_a_difference_is_told_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    hours = MovableClock(0)
    watch = ClockWatch(now=lambda: NOW, monotonic=hours)

    for moment in (0, 1, 3599.9, 3600, 3601):
        hours.now = moment
        watch.compare_time(NOW + 90)

    assert len(caplog.records) == 2


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_what_is_no_date_says_nothing(date: str | None) -> None:
    seen: list[int] = []
    ClockWatch(now=lambda: NOW, on_difference=seen.append).compare(date)
    assert seen == []
