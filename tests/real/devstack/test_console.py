"""What a person sees of the parts' logs."""

import io
from pathlib import Path

from devstack.console import Console, LogFollower

LINES = [
    '{"levelname": "INFO", "event": "listening"}',
    '{"asctime": "2026-11-21", "levelname": "WARNING", "name": "gateway", "event": "store-slow", "reference": "R1"}',
    "plain and calm",
    "Traceback (most recent call last):",
    '  File "app.py", line 1, in <module>',
    "KeyError: 'x'",
    "  indented but after the end",
]


def shown(lines: list[str], *, verbose: bool = False) -> list[str]:
    stream = io.StringIO()
    Console(stream, verbose=verbose).relay("api", lines)
    return stream.getvalue().splitlines()


def test_warnings_and_tracebacks_are_shown_in_words() -> None:
    assert shown(LINES[:4] + LINES[4:6]) == [
        "api       WARNING  store-slow  (reference=R1)",
        "api       Traceback (most recent call last):",
        'api         File "app.py", line 1, in <module>',
        "api       KeyError: 'x'",
    ]


def test_everything_is_shown_when_asked_for() -> None:
    assert len(shown(LINES, verbose=True)) == len(LINES)


def test_a_line_that_only_looks_like_json_is_plain() -> None:
    assert shown(["{not json", "{broken ERROR"]) == ["api       {broken ERROR"]


def test_progress_is_printed_line_by_line_where_nobody_watches() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.progress("1 of 2")
    console.say("done")

    assert stream.getvalue() == "1 of 2\ndone\n"


def test_progress_is_redrawn_in_place_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    console = Console(stream)
    console.progress("1 of 10  long-name")
    console.progress("2 of 10")
    console.say("done")

    assert stream.getvalue() == "\r1 of 10  long-name\r2 of 10           \ndone\n"


def test_the_last_progress_is_left_in_a_line_of_its_own() -> None:
    """What comes next may be said by another console: that of the environment's Python."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    console = Console(stream)
    console.progress("10 of 10")
    console.end_progress()
    console.end_progress()

    assert stream.getvalue() == "\r10 of 10\n"


def test_a_follower_hands_out_complete_lines_once(tmp_path: Path) -> None:
    file = tmp_path / "log"
    follower = LogFollower(file)
    before = follower.new_lines()
    file.write_text("one\ntwo\nthr")
    first = follower.new_lines()
    file.write_text("one\ntwo\nthree\n")

    assert (before, first, follower.new_lines()) == ([], ["one", "two"], ["three"])
