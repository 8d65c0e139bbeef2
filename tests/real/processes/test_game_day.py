"""The game day runs: small rows against real processes, so that it does not rot."""

import json

import pytest

from benchmarks.game_day.__main__ import main


@pytest.mark.stack
def test_R29_the_game_day_plays_rows_and_tells_what_people_saw(capsys: pytest.CaptureFixture[str]) -> None:
    """One row that stops and starts a part, and one that runs a gateway of its own beside the product's."""
    status = main(["R4", "R22", "--json", "--part", "0.1"])

    reports = json.loads(capsys.readouterr().out)
    assert [report["row"] for report in reports] == ["R4", "R22"]
    assert [one["says"] for report in reports for one in report["promises"] if not one["held"]] == []
    assert status == 0
    assert all(report["done"] and report["seen"] for report in reports)
