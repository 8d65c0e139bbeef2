import datetime as dt
import json

import pytest

from benchmarks.peers.measured import Pace, Series, Turn, bare_of
from benchmarks.peers.report import as_json, table
from benchmarks.peers.wrk import Load

PACE = Pace(seconds=5, turns=3, connections=64, core=1)
NOW = dt.datetime(2026, 11, 27, 5, tzinfo=dt.UTC)


def series(peer: str, *per_second: float, bad: int = 0) -> Series:
    each = 25.0 if peer == "bare" else 50.0
    turns = [Turn(Load(1000, rate, p50=2.0, p99=4.0, bad=bad), each) for rate in per_second]
    return Series(peer, "W1", "1.0", turns)


BARE = series("bare", 1000, 100, 500)


def test_a_ratio_is_to_the_bare_handler_of_the_same_turn() -> None:
    # The second turn was a busy moment for both.
    assert series("stepup", 700, 80, 300).ratio(BARE) == pytest.approx(0.7)


def test_the_table_has_the_middle_of_the_turns_and_what_was_refused() -> None:
    text = table([BARE, series("stepup", 700, 80, 300, bad=2)], {}, PACE, NOW)

    assert "| stepup | W1 | 300 (6 bad) | 0.70 | 0.50 | 2.0 | 4.0 | 50 | - | 1.0 |" in text
    assert "2026-11-27" in text


def test_who_could_not_be_had_is_named_with_the_reason() -> None:
    assert "| oauth2-proxy | not measured: not on the path |" in table(
        [BARE], {"oauth2-proxy": "not on the path"}, PACE, NOW
    )


def test_without_the_bare_handler_there_is_no_ratio() -> None:
    alone = [series("stepup", 700)]

    assert bare_of(alone) is None
    assert "| stepup | W1 | 700 | - | - |" in table(alone, {}, PACE, NOW)


def test_programs_get_every_turn() -> None:
    told = json.loads(as_json([BARE, series("stepup", 700, 80, 300)], {"axmp": "why"}, PACE, NOW))

    assert [turn["load"]["per_second"] for turn in told["measured"][1]["turns"]] == [700, 80, 300]
    assert (told["measured"][0]["of_bare"], told["missing"]) == (1, {"axmp": "why"})
