"""What was read of a session at one mark, and what becomes of it by a write of this process (S15, S18)."""

import pytest

from gateway.session.opened_records import MOST_GROWTH, MOST_NAMES, Mark, OpenedRecords
from gateway.store.fields import Field
from gateway.store.written import Written

END = 1_750_000_000.0
SEEN = b"1749000000000"
SEALED = b"1750000000000" + b"sealed"


def wrote(stored: dict[str, bytes | None], writes: int = 5, *, is_whole: bool = True) -> Written:
    return Written(is_whole, stored, writes)


def at_four(stored: dict[str, bytes | None] | None = None, mark: Mark = (SEEN, b"4")) -> OpenedRecords:
    """Return what was read of a session that had been written four times, while this process writes to it."""
    records = OpenedRecords({"seen": mark[0], "writes": mark[1], **(stored or {})}, mark)
    records.is_current = False
    return records


def test_a_value_is_used_until_its_end_and_so_is_what_follows_from_the_records() -> None:
    records, value = OpenedRecords({"a": SEALED}), object()
    assert records.value("a", 0) is records.result("so", 0) is None

    records.keep_value("a", Field(b"x", END), value)
    records.keep_result("so", value, END)

    assert records.value("a", END - 0.001) is records.result("so", END - 0.001) is value
    assert records.value("a", END) is records.result("so", END) is None


def test_S18_the_next_write_after_the_mark_is_carried_over_with_its_own_mark() -> None:
    records = at_four({"a": SEALED, "b": SEALED})
    records.keep_value("a", Field(b"x", END), "x")
    records.keep_value("b", Field(b"y", END), "y")

    records.carry_over(wrote({"a": SEALED + b"!", "gone": None}), {"a": Field(b"new", END + 0.0001)})

    assert records.is_current
    assert records.mark == (SEEN, b"5")
    assert records.stored == {
        "seen": SEEN,
        "writes": b"5",
        "a": SEALED + b"!",
        "b": SEALED,
        "gone": None,
    }
    assert records.value("a", 0) is None, "it is another one"
    assert records.value("b", 0) == "y"
    assert records.own("a", END - 0.001) == Field(b"new", END), "as Redis would tell it"
    assert records.own("a", END) is None
    assert records.own("b", 0) is None
    assert records.grown == len(b"!") + len("gone")


def test_S18_what_is_removed_again_is_nobodys_own() -> None:
    records = at_four()
    records.carry_over(wrote({"a": SEALED}), {"a": Field(b"new", END)})
    records.carry_over(wrote({"a": None}, 6), {"a": Field(b"left out", END)})

    assert records.own("a", 0) is None
    assert records.stored["a"] is None


def test_S18_of_what_this_process_did_not_write_itself_there_is_nothing_of_its_own() -> None:
    records = at_four()
    records.carry_over(wrote({"a": SEALED}), {"a": Field(b"new", END)})
    records.carry_over(wrote({"a": SEALED + b"!"}, 6), {})

    assert records.own("a", 0) is None


@pytest.mark.parametrize(
    "written, mark",
    [
        (wrote({"a": SEALED}, 4), (SEEN, b"4")),
        (wrote({"a": SEALED}, 6), (SEEN, b"4")),
        (wrote({"a": SEALED}, is_whole=False), (SEEN, b"4")),
        (wrote({}, 0, is_whole=False), (SEEN, b"4")),
        (wrote({"a": SEALED}), (None, b"4")),
        (wrote({"a": SEALED}), (SEEN, None)),
        (wrote({"a": SEALED}), (SEEN, b"no number")),
    ],
)
def test_S18_nothing_else_is(written: Written, mark: Mark) -> None:
    records = at_four({"a": b"before"}, mark)

    records.carry_over(written, {"a": Field(b"new", END)})

    assert not records.is_current
    assert records.mark == mark
    assert records.stored["a"] == b"before"
    assert records.own("a", 0) is None


def test_S18_the_first_write_of_all_is_the_next_one_after_none() -> None:
    records = at_four(mark=(SEEN, None))

    records.carry_over(wrote({"a": SEALED}, 1), {})

    assert records.mark == (SEEN, b"1")


@pytest.mark.parametrize("size, fits", [(MOST_GROWTH, True), (MOST_GROWTH + 1, False)])
def test_A2_it_grows_by_a_thousand_bytes_before_they_are_counted(size: int, *, fits: bool) -> None:
    assert MOST_GROWTH == 1000
    records = at_four({"b": None})
    records.carry_over(wrote({"b": b"x" * 600}), {})
    assert records.grown == 600

    records.is_current = False
    records.carry_over(wrote({"a": b"x" * (size - 601)}, 6), {})

    assert records.is_current is fits
    assert ("a" in records.stored) is fits
    assert records.grown == (size if fits else 600)


@pytest.mark.parametrize("names, fits", [(MOST_NAMES, True), (MOST_NAMES + 1, False)])
def test_A2_it_has_no_more_names_than_a_session_that_is_read(names: int, *, fits: bool) -> None:
    records = at_four()

    records.carry_over(wrote({f"{number}": None for number in range(names - 2)}), {})

    assert records.is_current is fits
