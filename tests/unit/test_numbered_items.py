"""S60: every numbered item is shown by a test with its number, or the page says why it is not."""

import functools
import re
from pathlib import Path
from typing import Final

import pytest

from tests.stage.numbered_items import LISTS, NO_REASON, PAGE, Item, items, line_of, numbers_of, shown

TESTS: Final = Path(__file__).parents[1]
LENGTHS: Final = {"S": 60, "R": 29, "U": 40}


@functools.cache
def names() -> set[str]:
    """Return the name of every test there is."""
    return {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(
            r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }


def test_S60_the_page_has_every_item_once_and_in_order() -> None:
    assert [item.id for item in items()] == [
        f"{kind}{number}" for kind in LISTS for number in range(1, LENGTHS[kind] + 1)
    ]


@pytest.mark.parametrize("item", items(), ids=lambda item: item.id)
def test_S60_an_item_is_shown_by_a_test_or_says_why_not(item: Item) -> None:
    assert item.id in shown(names()) or item.has_reason


def test_S60_no_test_claims_an_item_that_is_not_listed() -> None:
    claimed = {number for number in shown(names()) if number[0] in LISTS}

    assert claimed - {item.id for item in items()} == set()


def test_S60_numbers_are_written_in_one_way() -> None:
    assert not [name for name in names() if re.search(r"_[SRU]0\d", name)]


@pytest.mark.parametrize(
    "name, numbers",
    [
        ("tests/product/test_story.py::test_S9_a_path[/x_S3_]", {"S9"}),
        ("test_A8_S9_S46_two", {"A8", "S9", "S46"}),
        ("tests/unit/test_S1.py::test_plain", set()),
        ("test_what_S9_says", set()),
    ],
)
def test_a_test_claims_what_its_name_begins_with(name: str, numbers: set[str]) -> None:
    assert numbers_of(name) == numbers


def test_the_line_counts_what_passed_and_what_has_a_reason_and_names_the_rest() -> None:
    listed = {
        "S1": Item("S1", "a", NO_REASON),
        "S2": Item("S2", "b", "nobody can"),
        "S3": Item("S3", "c", NO_REASON),
        "R1": Item("R1", "d", NO_REASON),
        "U1": Item("U1", "e", "only a part"),
    }

    assert line_of(frozenset({"S1", "R1", "U1"}), listed) == (
        "S 2/3 R 1/1 U 1/1 (by reason and no test: S2); not shown by this run: S3"
    )
    assert line_of(frozenset({"S1", "S2", "S3", "R1", "U1"}), listed) == "S 3/3 R 1/1 U 1/1"


def test_the_page_is_where_it_was_said_to_be() -> None:
    pointer = PAGE.parents[1] / PAGE.name

    assert f"(reference/{PAGE.name})" in pointer.read_text(encoding="utf-8")
