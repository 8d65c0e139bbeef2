import re
from dataclasses import astuple, replace

import pytest

from benchmarks.scaling.habits import Habits, load_of
from benchmarks.scaling.limits import in_order
from benchmarks.scaling.measured import SESSION, size_of
from benchmarks.scaling.slots import SLOTS, by_servers, by_slots, keys_of_sessions, slot_of, spread
from benchmarks.scaling.tables import drawn_into
from gateway.store.names import SessionRef, tombstone_key
from tests.stage.sources import ROOT

PAGE = (ROOT / "docs" / "explanation" / "scaling.md").read_text(encoding="utf-8")
HABITS = Habits()


def test_the_page_has_the_tables_that_the_formulas_draw() -> None:
    assert drawn_into(PAGE) == PAGE


def test_the_page_says_the_habits_that_it_computes_with() -> None:
    said = PAGE.partition("| habit | value |")[2].partition("\n\n")[0]
    numbers = [
        float(number) for row in said.splitlines()[2:] for number in re.findall(r"[\d.]+", row.split("|")[2])
    ]

    assert numbers == list(astuple(HABITS))


def test_a_thousand_people_by_hand() -> None:
    # 150 sign-ins in the busiest hour, each of 40 reads; half an hour of use and half an hour of lying there.
    load = load_of(1_000, HABITS)

    assert load.sessions == pytest.approx(150)
    assert load.sign_ins == pytest.approx(2 * 150 / 3600)
    assert load.reads_of_session + load.reads_of_rows == pytest.approx(40 * load.sign_ins)
    assert load.refreshes == pytest.approx(2 * 75 / 3600)


def test_ten_times_the_people_are_ten_times_the_load() -> None:
    assert astuple(load_of(10_000, HABITS)) == pytest.approx(
        [10 * each for each in astuple(load_of(1_000, HABITS))]
    )


def test_nobody_needs_no_core_and_one_master() -> None:
    size = size_of(load_of(0, HABITS))

    assert (size.cores, size.redis_masters, size.addresses) == (0, 1, 0)


def test_who_only_looks_costs_what_a_look_costs() -> None:
    looking = Habits(
        reads_of_session=1, reads_of_rows=0, saves=0, refresh_minutes=float("inf"), sign_ins_a_day=1
    )
    with_one_more = replace(looking, reads_of_session=2)

    before, after = (load_of(1_000_000, habits) for habits in (looking, with_one_more))

    more = size_of(after).cores - size_of(before).cores
    assert more == pytest.approx(after.sign_ins * SESSION.microseconds / 1e6 / 0.6)


def test_what_breaks_first_comes_first_and_later_where_people_come_less_often() -> None:
    often, rarely = (
        [people for _, people in in_order(replace(HABITS, sign_ins_a_day=a_day))] for a_day in (1.0, 0.1)
    )

    assert often == sorted(often)
    assert rarely[0] >= often[0]


@pytest.mark.parametrize(
    "key, slot",
    # Redis' own specification has the first; the others are what CLUSTER KEYSLOT says.
    [
        ("123456789", 0x31C3 % SLOTS),
        ("{user1000}.following", 3443),
        ("foo{}{bar}", 8363),
        ("foo{bar}{zap}", 5061),
    ],
)
def test_a_slot_is_the_one_that_redis_says(key: str, slot: int) -> None:
    assert slot_of(key) == slot


def test_all_that_belongs_to_a_session_lies_in_one_slot() -> None:
    old, new = (
        SessionRef("a-family-of-16-bytes--", "00" * 32),
        SessionRef("a-family-of-16-bytes--", "11" * 32),
    )

    assert len({slot_of(key) for key in (old.key, new.key, tombstone_key(old))}) == 1


def test_servers_have_all_slots_between_them() -> None:
    counts = by_slots(keys_of_sessions(5_000))

    assert counts.__len__() == SLOTS
    assert sum(by_servers(counts, 7)) == 5_000


def test_an_even_spread_is_one_and_an_uneven_one_is_told() -> None:
    assert astuple(spread([4, 4, 4])) == (4, 0, 1, 1)
    assert spread([1, 3]).fullest == 1.5
