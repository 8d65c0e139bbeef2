"""Redis' clock between two answers, and what is done where it was never heard."""

import pytest

from gateway.store.redis_clock import RedisClock
from servicekit.clock_watch import ClockWatch
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW

HOUR = 3600.0


class Scene:
    """A machine whose wall clock is an hour ahead of Redis', and whose steady clock began at 5."""

    def __init__(self) -> None:
        self.wall = MovableClock(NOW + HOUR)
        self.steady = MovableClock(5)
        self.seen: list[int] = []
        watch = ClockWatch("Redis", now=self.wall, on_difference=self.seen.append)
        self.clock = RedisClock(now=self.wall, steady=self.steady, watch=watch)

    def pass_by(self, seconds: float) -> None:
        """Let time pass by both clocks."""
        self.wall.now += seconds
        self.steady.now += seconds


def test_until_redis_was_heard_our_own_clock_must_do() -> None:
    scene = Scene()

    assert scene.clock() == NOW + HOUR
    assert not scene.clock.is_heard
    assert scene.clock.is_old

    scene.clock.hear(0)
    assert not scene.clock.is_heard, "its user may not ask"
    assert scene.seen == []


def test_L2_that_its_user_may_not_ask_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()

    for _ in range(3):
        scene.clock.hear(0)

    assert [record.message for record in caplog.records] == ["redis-time-refused"]


def test_L2_what_redis_told_goes_on_by_a_clock_that_nobody_sets() -> None:
    scene = Scene()
    scene.clock.hear(int(NOW * 1000) + 250)

    scene.pass_by(7)
    assert scene.clock() == NOW + 7.25
    scene.wall.now += 365 * 86_400
    assert scene.clock() == NOW + 7.25
    assert scene.seen == [3600]


@pytest.mark.parametrize(
    "wall, steady, old",
    [(60, 60, False), (60.1, 60.1, True), (2, 0, True), (-2, 0, True), (0.5, 0, False), (3600, 1, True)],
)
def test_L2_redis_is_asked_again_after_a_minute_and_after_a_jump(
    wall: float, steady: float, old: object
) -> None:
    scene = Scene()
    scene.clock.hear(int(NOW * 1000))

    scene.wall.now += wall
    scene.steady.now += steady

    assert scene.clock.is_old is old
