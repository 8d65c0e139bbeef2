"""What fits into leaky buckets, how long to wait for the next, and that nobody can take all for himself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.leaky_buckets import Bucket, LocalBuckets, Role, judge
from tests.stage.tenant import MovableClock


def local(most: int = 1000) -> tuple[LocalBuckets, MovableClock]:
    """Buckets in memory, and their clock."""
    clock = MovableClock(1000.0)
    return LocalBuckets(now=clock, most=most), clock


def fills(held: LocalBuckets, buckets: list[Bucket], times: int = 10_000) -> int:
    """How often one more fits in at once."""
    for number in range(times):
        if not held.judge(buckets).fits:
            return number
        held.add(buckets)
    return times


def test_S51_a_bucket_takes_its_capacity_at_once_and_one_more_for_each_part_of_its_time() -> None:
    held, clock = local()
    bucket = [Bucket("a", 4, 60)]

    assert fills(held, bucket) == 4
    assert held.judge(bucket).wait == pytest.approx(15)

    clock.now += 14.9
    assert held.judge(bucket).wait == pytest.approx(0.1)
    clock.now += 0.1
    assert fills(held, bucket) == 1
    clock.now += 3600
    assert fills(held, bucket) == 4


def test_S51_what_is_refused_is_not_counted() -> None:
    held, clock = local()
    bucket = [Bucket("a", 4, 60)]
    fills(held, bucket)

    for _ in range(100):
        assert held.judge(bucket).wait == pytest.approx(15)

    clock.now += 15
    assert held.judge(bucket).fits


def test_A5_whoever_was_let_in_by_others_counts_as_well_and_nothing_is_taken_back() -> None:
    held, _ = local()
    bucket = [Bucket("a", 10, 60)]
    held.add(bucket, 3)

    held.raise_to(bucket, [8])
    assert held.levels(bucket) == [8]
    held.raise_to(bucket, [1])
    assert held.levels(bucket) == [8]
    held.raise_to(bucket, [99])
    assert held.levels(bucket) == [10]


def of_network(name: str, capacity: float = 100) -> list[Bucket]:
    """The buckets of one network: its own, one that it shares with all others, and what is assured to it."""
    return [
        Bucket("wide", 3 * capacity, 60, Role.SHARED),
        Bucket(name, capacity, 60),
        Bucket(f"assured to {name}", capacity / 10, 60, Role.ASSURED),
    ]


def test_A5_whoever_shares_a_bucket_that_others_have_filled_has_what_is_assured() -> None:
    held, _ = local()

    taken = [fills(held, of_network(f"network {number}")) for number in range(20)]

    assert taken[:3] == [100] * 3
    assert set(taken[3:]) == {10}


def test_A5_what_is_assured_is_there_while_others_go_on() -> None:
    held, clock = local()
    for _ in range(600):  # ten minutes, in which twenty networks take whatever they can get
        clock.now += 1
        for number in range(20):
            fills(held, of_network(f"network {number}"))

    assert fills(held, of_network("late")) == 10


def test_A5_what_is_assured_is_left_alone_while_there_is_room_in_the_shared_one() -> None:
    held, _ = local()
    buckets = of_network("network")
    assert fills(held, buckets) == 100

    assert held.levels(buckets) == [100, 100, 0]


@pytest.mark.parametrize("others", [0, 3, 50])
def test_A5_the_wait_is_true_whichever_bucket_is_the_full_one(others: int) -> None:
    held, clock = local()
    for number in range(others):
        fills(held, of_network(f"network {number}"))
    late = of_network("late")
    fills(held, late)
    wait = held.judge(late).wait
    assert wait

    clock.now += wait - 0.001
    assert not held.judge(late).fits
    clock.now += 0.002
    assert held.judge(late).fits


def test_A5_a_shared_bucket_that_is_closed_leaves_what_is_assured() -> None:
    closed = Bucket("wide", 100, 60, Role.SHARED, is_open=False)
    assured = Bucket("assured", 2, 60, Role.ASSURED)

    assert judge([closed], [0]).wait == 60
    assert judge([closed, assured], [0, 1]).fits
    assert judge([closed, assured], [0, 2]).wait == 30


def test_S51_the_bucket_that_was_used_longest_ago_is_forgotten_first() -> None:
    held, _ = local(most=2)
    first, second, third = ([Bucket(name, 1, 60)] for name in "abc")
    held.add(first)
    held.add(second)
    held.raise_to(first, [1])

    held.add(third)

    assert held.levels(first) == [1]
    assert held.levels(second) == [0]


def test_S51_a_clock_that_stands_still_or_goes_back_empties_nothing() -> None:
    held, clock = local()
    bucket = [Bucket("a", 4, 60)]
    fills(held, bucket)

    clock.now -= 500

    assert held.judge(bucket).wait == pytest.approx(15)


def test_A5_what_is_let_in_by_what_is_assured_fills_that_and_its_own_bucket() -> None:
    held, _ = local()
    own, shared = Bucket("own", 5, 60), Bucket("shared", 1, 60, Role.SHARED)
    assured = Bucket("assured", 5, 60, Role.ASSURED)
    held.raise_to([shared], [1])

    held.add([own, shared, assured])

    assert held.levels([own, shared, assured]) == [1, 1, 1]


def test_A5_what_was_not_asked_about_counts_wherever_there_is_room() -> None:
    held, _ = local()
    own, shared = Bucket("own", 1, 60), Bucket("shared", 5, 60, Role.SHARED)
    held.raise_to([own], [1])

    held.add([own, shared])

    assert held.levels([own, shared]) == [1, 1]


def test_A5_what_fits_need_not_wait() -> None:
    verdict = judge([Bucket("own", 1, 60)], [0])

    assert (verdict.fits, verdict.wait) == (True, 0)


def test_each_bucket_has_one_level() -> None:
    with pytest.raises(ValueError, match="shorter"):
        judge([Bucket("own", 1, 60)], [])
    with pytest.raises(ValueError, match="shorter"):
        local()[0].raise_to([Bucket("own", 1, 60)], [])


def test_the_roles_are_numbered_as_in_the_script() -> None:
    assert [role.value for role in (Role.OWN, Role.SHARED, Role.ASSURED)] == [0, 1, 2]


SETS = (
    [Bucket("own", 3, 60)],
    [Bucket("own", 3, 60), Bucket("own for longer", 5, 600)],
    [Bucket("wide", 6, 60, Role.SHARED), Bucket("own", 3, 60), Bucket("assured", 1, 600, Role.ASSURED)],
    [Bucket("wide", 6, 60, Role.SHARED)],
    [Bucket("wide", 6, 60, Role.SHARED, is_open=False), Bucket("assured", 1, 600, Role.ASSURED)],
    [Bucket("assured", 1, 600, Role.ASSURED)],
)


@given(st.lists(st.tuples(st.sampled_from(SETS), st.sampled_from([0, 0, 1, 19, 21, -5, 600])), max_size=40))
def test_S51_to_take_is_to_judge_and_then_to_count(steps: list[tuple[list[Bucket], int]]) -> None:
    (at_once, clock), (in_two_steps, other_clock) = local(), local()
    for buckets, seconds in steps:
        clock.now += seconds
        other_clock.now += seconds

        verdict = at_once.take(buckets)

        assert verdict == judge(buckets, in_two_steps.levels(buckets)) == in_two_steps.judge(buckets)
        if verdict.fits:
            in_two_steps.add(buckets)
        assert at_once.levels(buckets) == in_two_steps.levels(buckets)
        assert [at_once.level(bucket) for bucket in buckets] == at_once.levels(buckets)


def test_S51_what_is_taken_is_forgotten_as_all_else_when_there_is_no_more_room() -> None:
    held, _ = local(most=2)
    for name in "abca":
        held.take([Bucket(name, 5, 60)])

    assert [held.levels([Bucket(name, 5, 60)]) for name in "abc"] == [[1], [0], [1]]
