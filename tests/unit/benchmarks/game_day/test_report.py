"""A row is held by promises that were held, and says so to people and machines."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from benchmarks.game_day.__main__ import happened, main
from benchmarks.game_day.part_of_stack import with_clock, with_descriptors
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.rows import ROWS
from benchmarks.game_day.tally import Tally, percentile
from devstack.processes import Program

SIZE: Final = Size(0.1)


def report(*held: bool) -> Report:
    """Return a report with so many promises."""
    made = Report("L0", "nothing")
    for number, one in enumerate(held):
        made.promise(f"promise {number}", held=one, seen=number)
    return made


def program(tmp_path: Path, code: str) -> Program:
    """Return a program that runs a piece of Python."""
    return Program(
        "python", (sys.executable, "-c", code), {"PATH": "/usr/bin:/bin"}, tmp_path, tmp_path / "log"
    )


def output(of: Program) -> str:
    return subprocess.run(
        of.command, env=dict(of.environment), capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("promises", [(True, True), (True, False), ()])
def test_a_row_is_held_where_every_promise_was_and_there_is_one(promises: Sequence[bool]) -> None:
    made = report(*promises)
    held = promises == (True, True)

    assert made.held == held
    assert made.as_json()["held"] == held
    assert ("[held, " in made.drawn()) == held
    assert made.drawn().count("BROKEN") == promises.count(False)


async def test_a_row_that_breaks_is_not_held_and_says_why() -> None:
    async def breaks(_report: Report, _size: Size) -> None:
        raise ValueError("it broke")

    made = await happened(Row("L0", "it breaks", breaks), SIZE)

    assert not made.held
    assert "ValueError: it broke" in made.drawn()


async def test_a_row_that_does_what_it_should_keeps_what_it_noted() -> None:
    async def works(noting: Report, size: Size) -> None:
        await asyncio.sleep(0)
        noting.did(f"{size.of(200)} requests")
        noting.promise("it works", held=True, seen="it does")

    made = await happened(Row("L0", "it works", works), SIZE)

    assert made.held
    assert made.done == ["20 requests"]


def test_an_unknown_row_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["L99"]) == 2
    assert "There is no row L99" in capsys.readouterr().err


def test_every_row_of_what_keeps_it_serving_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    played = {name.rstrip("abc") for name in ROWS}

    assert {f"L{number}" for number in range(1, 16)} <= played
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(ROWS)


def test_whoever_was_signed_in_and_is_told_otherwise_counts_as_signed_out() -> None:
    told = Tally()
    told.answer(200, b'{"authenticated": false}', 0.1)
    told.answer(401, b'{"type": "/problems/sign-in-required"}', 0.2)
    told.answer(200, b'{"authenticated": true}', 0.3)

    assert told.signed_out == 2
    assert told.good == [0.3]
    assert "p50 200 ms" in str(told)


def test_percentiles_are_of_what_was_measured() -> None:
    assert percentile([], 0.5) == 0
    assert [percentile([0.1, 0.2, 0.3, 0.4], part) for part in (0, 0.5, 1)] == [0.1, 0.3, 0.4]


def test_another_clock_is_one_programs_alone_and_durations_stay(tmp_path: Path) -> None:
    code = "import time; a = time.monotonic(); print(time.time(), a)"
    wall, monotonic = map(float, output(with_clock(program(tmp_path, code), 1_900, tmp_path)).split())

    assert 1_850 < wall - time.time() < 1_950
    assert abs(monotonic - time.monotonic()) < 50


def test_without_faketime_a_shim_sets_the_clock(tmp_path: Path) -> None:
    code = "import time; print(time.time(), time.time_ns() / 1e9)"
    changed = with_clock(program(tmp_path, code), -600, tmp_path, faketime=None)

    assert changed.command == program(tmp_path, code).command
    assert all(-650 < float(text) - time.time() < -550 for text in output(changed).split())


@pytest.mark.parametrize("soft, hard, seen", [(64, None, 64), (64, 64, 64)])
def test_descriptors_are_limited_for_one_program_alone(
    soft: int, hard: int | None, seen: int, tmp_path: Path
) -> None:
    code = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    limits = output(with_descriptors(program(tmp_path, code), soft, hard)).split()

    assert int(limits[0]) == seen
    assert (int(limits[1]) == soft) == (hard is not None)


def test_reports_are_json() -> None:
    assert json.loads(json.dumps([report(*[True]).as_json()]))[0]["promises"][0]["says"] == "promise 0"
