"""The glossary is in order, and what it says is in the code is there."""

import ast
import re
from typing import Final

from tests.stage.sources import ROOT, modules

ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
][1:]


def test_there_are_thirty_words_and_more_in_alphabetical_order() -> None:
    words = [row[0] for row in ROWS]

    assert len(words) >= 30
    assert words == sorted(set(words))


def test_every_word_has_a_meaning_a_standard_or_none_and_a_place() -> None:
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []


def test_every_class_that_the_glossary_names_exists() -> None:
    classes = {
        node.name
        for module in modules(ROOT)
        if module.room not in {"tests", "local_tenant"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    named = {name for row in ROWS for name in re.findall(r"`([A-Z]\w+)`", row[3])}

    assert len(named) > 20
    assert named - classes == set()
