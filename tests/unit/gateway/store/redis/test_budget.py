"""The time that one request may wait for Redis (R3)."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.budget import current_budget, redis_budget
from gateway.store.redis.client import RedisGuard
from gateway.store.redis.places import OwnDelay, Places
from servicekit.breaker import CircuitBreaker


class Work:
    """Fails as it is told, then succeeds; counts how often it was tried."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0
        self.left = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def leave(self) -> None:
        self.left += 1


@pytest.fixture
async def guard() -> RedisGuard:
    return RedisGuard(CircuitBreaker(now=lambda: 0, failures=3), places=Places(2, seconds=0.5))


def test_outside_of_a_request_there_is_no_budget() -> None:
    assert current_budget() is None
    with redis_budget(1):
        assert current_budget() is not None
    assert current_budget() is None


async def test_R3_a_request_that_waited_long_enough_waits_no_more(guard: RedisGuard) -> None:
    work = Work()
    with redis_budget(0), pytest.raises(RedisTimeoutError):
        await guard.run(work)

    assert work.tries == 0


async def test_R3_only_waiting_for_redis_uses_the_budget(guard: RedisGuard) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.05)

    with redis_budget(60) as budget:
        await asyncio.sleep(0.05)
        assert budget.remaining == 60
        await guard.run(slow)
        assert 0 < budget.remaining < 60


@pytest.mark.parametrize("error", [RedisConnectionError("cut"), RedisTimeoutError("silent")])
async def test_R3_what_may_happen_twice_is_tried_once_more_and_other_things_are_not(
    guard: RedisGuard, error: Exception
) -> None:
    assert await guard.run(Work(error), again=True) == "done"

    for again, tries in ((False, 1), (True, 2)):
        work = Work(error, error)
        with pytest.raises(RedisError):
            await guard.run(work, again=again)
        assert work.tries == tries


async def test_R5_after_readonly_the_connections_are_left_and_any_write_is_tried_again(
    guard: RedisGuard,
) -> None:
    work = Work(ReadOnlyError("You can't write against a read only replica."))

    assert await guard.run(work, leave=work.leave) == "done"
    assert (work.tries, work.left) == (2, 1)


async def test_R7_a_refusal_opens_no_breaker(guard: RedisGuard) -> None:
    for _ in range(9):
        with pytest.raises(OutOfMemoryError):
            await guard.run(Work(OutOfMemoryError("OOM")))

    assert await guard.run(Work()) == "done"


async def test_R3_when_the_breaker_opens_nothing_is_tried_and_connections_are_left(guard: RedisGuard) -> None:
    work = Work(*[RedisConnectionError("refused")] * 9)
    for _ in range(5):
        with pytest.raises(RedisConnectionError):
            await guard.run(work, leave=work.leave)

    assert (work.tries, work.left) == (3, 1)


async def test_R3_the_wait_for_a_connection_is_bounded(guard: RedisGuard) -> None:
    let_go = asyncio.Event()
    busy = [asyncio.create_task(guard.run(let_go.wait)) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(OwnDelay):
        await guard.run(Work())

    let_go.set()
    await asyncio.gather(*busy)
    assert await guard.run(Work()) == "done", "and places are given back"
