"""When a worker is started in the place of one that ended."""

import pytest

from gateway.operation.restarts import QUICK_SECONDS, Restarts


def test_L7_one_that_served_for_a_while_is_replaced_at_once_however_often_it_happens() -> None:
    restarts = Restarts()

    assert [restarts.after(QUICK_SECONDS) for _ in range(20)] == [0] * 20
    assert not restarts.in_vain


def test_L7_who_ends_soon_again_and_again_is_waited_for_ever_longer_and_half_a_minute_at_most() -> None:
    restarts = Restarts()

    delays = [restarts.after(0.1) for _ in range(12)]

    assert delays == [0, 0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert not restarts.in_vain, "it served each time"


def test_L7_four_in_a_row_that_never_served_are_in_vain_and_one_that_did_makes_good() -> None:
    restarts = Restarts()

    assert [(restarts.after(None), restarts.in_vain) for _ in range(4)] == [
        (0, False),
        (0, False),
        (0, False),
        (0.5, True),
    ]
    restarts.after(0.1)
    assert not restarts.in_vain


@pytest.mark.parametrize("times", [1, 4, 11])
def test_L7_one_that_lasts_makes_good_for_all_before(times: int) -> None:
    restarts = Restarts()
    for _ in range(times):
        restarts.after(None)

    assert restarts.after(QUICK_SECONDS) == 0
    assert not restarts.in_vain
    assert restarts.after(0) == 0
