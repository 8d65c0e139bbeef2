"""The tables that name tests name such as exist: what the world sends, and what keeps the product serving.

Owns the form of both: an id, the right behaviour in words, and links to test files with the tests' names.
"""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SECTIONS: Final = {
    "docs/reference/conformance.md": "What the world sends",
    "docs/explanation/reliability.md": "What keeps it serving",
}


def section(document: str) -> str:
    """Return the text of a document's section that holds the table."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return text.split(f"\n## {SECTIONS[document]}\n")[1].split("\n## ")[0]


def rows(document: str) -> list[tuple[str, str]]:
    """Return id and tests of each row."""
    return re.findall(r"^\| ([A-Z]\d+) \| .+? \| (\[.+) \|$", section(document), re.MULTILINE)


@pytest.mark.parametrize("document", SECTIONS)
def test_the_rows_are_of_one_form_and_sorted(document: str) -> None:
    ids = [name for name, _ in rows(document)]

    assert ids
    assert len(ids) == section(document).count("\n| ") - 1, "all but the head of the table"
    assert ids == sorted(ids, key=lambda name: (name[0], int(name[1:])))


@pytest.mark.parametrize("name, cell", [row for document in SECTIONS for row in rows(document)])
def test_each_row_names_tests_that_exist(name: str, cell: str) -> None:
    named = re.findall(r"\[([^\]]+)\]\(\.\./\.\./([^)]+)\)((?:,? `[^`]+`)+)", cell)

    assert named
    for path, linked, tests in named:
        assert path == linked
        text = (ROOT / path).read_text(encoding="utf-8")
        for test in re.findall(r"`([^`]+)`", tests):
            assert test in text, name
