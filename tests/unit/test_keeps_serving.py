"""docs/explanation/reliability.md names for each row of "What keeps it serving" a test, which exists."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SECTION: Final = (
    (ROOT / "docs/explanation/reliability.md")
    .read_text(encoding="utf-8")
    .split("\n## What keeps it serving\n")[1]
    .split("\n## ")[0]
)
ROWS: Final = re.findall(r"^\| (L\d+) \| (.+?) \| (\[.+) \|$", SECTION, re.MULTILINE)


def test_the_rows_are_of_one_form_and_sorted() -> None:
    ids = [row[0] for row in ROWS]

    assert len(ROWS) == SECTION.count("\n| ") - 1, "all but the head of the table"
    assert ids == sorted(ids, key=lambda name: int(name[1:]))


@pytest.mark.parametrize("name, cell", [(row[0], row[2]) for row in ROWS])
def test_each_row_names_tests_that_exist(name: str, cell: str) -> None:
    named = re.findall(r"\[([^\]]+)\]\(\.\./\.\./([^)]+)\)((?:,? `[^`]+`)+)", cell)

    assert named
    for path, linked, tests in named:
        assert path == linked
        text = (ROOT / path).read_text(encoding="utf-8")
        for test in re.findall(r"`([^`]+)`", tests):
            assert test in text, name
