"""A refusal is counted each time, and written once a minute for each caller and limit."""

import logging

import pytest

from gateway.counts import Counts
from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import Caller, Limit
from servicekit.log_strangers import FIELDS
from tests.stage.tenant import MovableClock


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """The fields of the lines so far."""
    return [getattr(record, FIELDS) for record in caplog.records if record.getMessage() == "rate-limited"]


def test_A5_a_line_for_each_caller_and_limit_in_a_minute_says_how_many_there_were(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = MovableClock(1000.0)
    reports = LimitReports(Counts(), now=clock)
    here = Caller("198.51.100.0/24", "198.51.0.0/16", network="198.51.100.0/24")

    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            reports.refused(Limit.SIGN_INS, here)
            clock.now += 1
        reports.refused(Limit.CALLBACKS, here)
        reports.refused(Limit.EDITS, Caller("tenant ada", session="0123456789ab"))
        clock.now += 20
        reports.refused(Limit.SIGN_INS, here)

    assert lines(caplog) == [
        {"limit": "sign-ins", "refused": 1, "network": "198.51.100.0/24"},
        {"limit": "callbacks", "refused": 1, "network": "198.51.100.0/24"},
        {"limit": "edits", "refused": 1, "session": "0123456789ab"},
        {"limit": "sign-ins", "refused": 50, "network": "198.51.100.0/24"},
    ]


def test_A5_many_callers_are_not_remembered_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    reports = LimitReports(Counts(), now=MovableClock(0))
    with caplog.at_level(logging.WARNING):
        for number in range(1001):
            reports.refused(Limit.SIGN_INS, Caller(str(number)))
        reports.refused(Limit.SIGN_INS, Caller("0"))

    assert len(lines(caplog)) == 1002
