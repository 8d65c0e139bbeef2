"""The circuit breaker, with a clock that the test moves (R3)."""

import asyncio

import pytest

from servicekit.breaker import BreakerOpen, CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class GoneError(Exception):
    pass


class RefusalError(Exception):
    pass


def is_failure(error: BaseException) -> bool:
    return isinstance(error, GoneError)


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(GoneError), breaker.attempt(is_failure):
            raise GoneError


def succeed(breaker: CircuitBreaker) -> None:
    with breaker.attempt(is_failure):
        pass


def refuse(breaker: CircuitBreaker) -> None:
    with pytest.raises(BreakerOpen), breaker.attempt(is_failure):
        pytest.fail("nothing may be tried")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(now=clock, failures=3, open_seconds=2)


def test_it_tells_when_it_turns_and_only_then(clock: Clock) -> None:
    turns: list[bool] = []
    breaker = CircuitBreaker(now=clock, failures=3, open_seconds=2, on_turn=turns.append)
    succeed(breaker)
    fail(breaker, 2)
    assert turns == []
    fail(breaker)
    breaker.hold(5)
    clock.now += 6
    fail(breaker)
    assert turns == [True], "a failed probe is no news"
    clock.now += 6
    succeed(breaker)
    succeed(breaker)
    assert turns == [True, False]


def test_R3_it_opens_after_failures_in_a_row_only(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 2)
    succeed(breaker)
    fail(breaker, 3)

    refuse(breaker)


def test_R3_a_refusal_is_an_answer(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    with pytest.raises(RefusalError), breaker.attempt(is_failure):
        raise RefusalError
    fail(breaker, 2)

    assert not breaker.is_open


def test_R3_after_a_while_one_caller_tries_and_the_others_are_refused(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 1.9
    refuse(breaker)
    clock.now += 0.1

    with breaker.attempt(is_failure):
        refuse(breaker)

    succeed(breaker)


def test_R3_a_probe_that_fails_opens_it_again(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 2
    fail(breaker)

    refuse(breaker)
    clock.now += 2
    succeed(breaker)
    fail(breaker, 2)
    assert not breaker.is_open, "the count begins anew"


def test_R9_a_cancelled_probe_tells_nothing_and_does_not_stay(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 2
    with pytest.raises(asyncio.CancelledError), breaker.attempt(is_failure):
        raise asyncio.CancelledError

    succeed(breaker)


def test_R3_old_news_does_not_close_it(breaker: CircuitBreaker) -> None:
    with breaker.attempt(is_failure):
        fail(breaker, 3)

    refuse(breaker)


def test_R15_it_can_be_held_open_at_once_and_is_tried_by_one_afterwards(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    breaker.hold(60)
    refuse(breaker)
    assert breaker.seconds_left == 60
    breaker.hold(5)
    assert breaker.seconds_left == 60, "never shortened"

    clock.now += 60
    fail(breaker)
    assert breaker.seconds_left == 2, "the probe failed"
    clock.now += 2
    succeed(breaker)
    assert not breaker.is_open


def test_R3_what_everybody_tried_together_counts_once_and_only_while_it_is_closed(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    for failed in (True, True, False, True, True):
        breaker.note(failed=failed)
    assert breaker.is_closed, "never three in a row"

    breaker.note(failed=True)
    refuse(breaker)
    breaker.note(failed=False)
    refuse(breaker)
    clock.now += 2
    assert breaker.is_half_open
    breaker.note(failed=False)
    fail(breaker)
    refuse(breaker)
