"""The line for a connection to Redis, and whose time it is (L1)."""

import asyncio
import time

import pytest
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.budget import RedisLimits, redis_budget
from gateway.store.redis.client import RedisGuard
from gateway.store.redis.loop_clock import LoopClock
from gateway.store.redis.places import OwnDelay, Places
from servicekit.breaker import CircuitBreaker
from tests.stage.patience import PATIENCE

LIMITS = RedisLimits(command=0.2, attempt=0.4, request=0.6)


def hold_up(seconds: float) -> None:
    """Let the event loop stand still, as a long callback on a busy computer does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def breaker() -> CircuitBreaker:
    return CircuitBreaker(now=time.monotonic, failures=1, open_seconds=60)


async def test_L1_waiting_in_our_own_line_is_no_failure_of_redis_and_uses_no_budget() -> None:
    places = Places(1, seconds=60)
    guard = RedisGuard(breaker(), limits=LIMITS, places=places)

    async def waited() -> float:
        with redis_budget(LIMITS.request) as budget:
            await guard.run(lambda: asyncio.sleep(0))
            return budget.remaining

    async with places.taken():
        others = [asyncio.create_task(waited()) for _ in range(20)]
        done, _ = await asyncio.wait(others, timeout=2 * LIMITS.request)
        assert not done, "they wait for longer than anybody waits for Redis"

    assert all(remaining > LIMITS.request / 2 for remaining in await asyncio.gather(*others))


async def test_L1_who_finds_no_place_is_told_of_our_own_delay_and_the_breaker_stays_closed() -> None:
    closed = breaker()
    guard = RedisGuard(closed, limits=LIMITS, places=Places(1, seconds=0.05))
    let_go = asyncio.Event()
    busy = asyncio.create_task(guard.run(let_go.wait))
    await asyncio.sleep(0)

    for _ in range(3):
        with pytest.raises(OwnDelay):
            await guard.run(let_go.wait)

    assert not closed.is_open
    let_go.set()
    await busy


async def test_L1_a_late_loop_is_no_slowness_of_redis() -> None:
    closed = breaker()
    guard = RedisGuard(closed, limits=LIMITS)

    async def answered_soon() -> str:
        answered = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, answered.set)
        hold_up(2 * LIMITS.attempt)
        await answered.wait()
        return "answered"

    with redis_budget(LIMITS.request) as budget:
        assert await guard.run(answered_soon) == "answered"

        assert budget.remaining > LIMITS.request / 2
    assert not closed.is_open


async def test_L1_a_time_out_that_a_late_loop_made_is_told_as_ours() -> None:
    closed = breaker()
    guard = RedisGuard(closed, limits=LIMITS)

    async def timed_out() -> None:
        hold_up(3 * LIMITS.command)
        await asyncio.sleep(0.01)
        raise RedisTimeoutError

    with pytest.raises(OwnDelay):
        await guard.run(timed_out)

    assert not closed.is_open


async def test_L1_a_silent_redis_is_still_its_own_fault() -> None:
    opened = breaker()
    guard = RedisGuard(opened, limits=LIMITS)

    with pytest.raises(RedisTimeoutError):
        await guard.run(asyncio.Event().wait)
    assert opened.is_open
    with pytest.raises(RedisError):
        await guard.run(lambda: asyncio.sleep(0))


async def test_L1_who_has_begun_goes_before_who_has_not() -> None:
    places, order = Places(1, seconds=60), []

    async def one(name: str, *, first: bool) -> None:
        async with places.taken(first=first):
            order.append(name)

    async with places.taken():
        waiting = [
            asyncio.create_task(one(name, first=name.startswith("begun")))
            for name in ("new", "begun", "begun too")
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)

    assert order == ["begun", "begun too", "new"]


async def test_L1_whoever_leaves_the_line_takes_no_place_along() -> None:
    places = Places(1, seconds=60)

    async def pass_through() -> None:
        async with places.taken():
            await asyncio.sleep(0)

    async with places.taken():
        waiting = [asyncio.create_task(pass_through()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
    waiting[1].cancel()  # in the moment of its turn
    await asyncio.wait(waiting)

    async with asyncio.timeout(PATIENCE):
        await pass_through()


async def test_the_loops_clock_stands_still_while_the_loop_does() -> None:
    clock = LoopClock()
    with clock.ticking():
        began, before = clock.now(), time.monotonic()
        hold_up(0.3)
        await asyncio.sleep(0.05)
        took, passed = clock.now() - began, time.monotonic() - before

    assert took < passed - 0.2
    assert clock.stood_still > 0.2
