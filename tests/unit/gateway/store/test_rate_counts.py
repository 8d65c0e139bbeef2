"""Counts in Redis: the rule of the buckets in memory, by Redis' clock, under names that say nothing."""

import asyncio
import random
import time

import pytest
from redis.asyncio import Redis

from gateway.store.rate_counts import RateCounts
from gateway.store.redis.client import GuardedRedis
from servicekit.leaky_buckets import Bucket, LocalBuckets, Role, judge
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import RING_KEY

# So slow that nothing is lost while a test runs.
STILL = 10**7


@pytest.fixture
def counts(redis: GuardedRedis) -> RateCounts:
    """Give the counts of one process."""
    return RateCounts(redis, RING_KEY)


async def takes(counts: RateCounts, redis: GuardedRedis, buckets: list[Bucket]) -> list[float] | None:
    """Count one more; return what the buckets held, or None where it did not fit."""
    counted = counts.read(await redis.run_script(counts.call(buckets)))
    assert counted
    return list(counted.levels) if counted.fits else None


async def test_A5_what_one_process_counts_another_one_finds(counts: RateCounts, redis: GuardedRedis) -> None:
    other = RateCounts(redis, RING_KEY)
    buckets = [Bucket(counts.key(counts.name("a network")), 3, STILL)]
    assert other.key(other.name("a network")) == buckets[0].key

    held = [await takes(each, redis, buckets) for each in (counts, other, counts, other)]

    assert held == [[0], [pytest.approx(1, abs=0.01)], [pytest.approx(2, abs=0.01)], None]


@pytest.mark.parametrize("seed", range(5))
async def test_A5_redis_and_memory_have_one_rule(counts: RateCounts, redis: GuardedRedis, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing is secret about it
    local = LocalBuckets(now=MovableClock(0))
    let_in = 0
    for _ in range(300):
        network, behind = chance.randrange(4), chance.randrange(3)
        is_open = chance.random() < 0.9
        buckets = [
            Bucket(counts.key("slot", "wide"), 40, STILL, Role.SHARED, is_open),
            Bucket(counts.key("slot", f"{network}"), 20, STILL),
            Bucket(counts.key("slot", f"{network} {behind}"), 12, STILL),
            Bucket(counts.key("slot", f"assured {network}"), 3, STILL, Role.ASSURED),
        ]
        expected = local.judge(buckets).fits

        levels = await takes(counts, redis, buckets)

        assert (levels is not None) == expected
        if levels is not None:
            assert levels == pytest.approx(local.levels(buckets), abs=0.01)
            local.add(buckets)
            let_in += 1
    assert 40 < let_in < 100


async def test_A5_what_was_let_in_already_is_counted_as_far_as_it_fits(
    counts: RateCounts,
) -> None:
    buckets = [Bucket(counts.key("slot"), 10, STILL)]

    first, second, third = [await counts.add(buckets, 6) for _ in range(3)]

    assert [counted.fits for counted in (first, second, third) if counted] == [True, False, False]
    assert third
    assert list(third.levels) == [pytest.approx(10, abs=0.01)]


async def test_A5_a_bucket_empties_by_redis_own_clock_and_the_wait_that_follows_is_true(
    counts: RateCounts, redis: GuardedRedis
) -> None:
    buckets = [Bucket(counts.key("slot"), 2, 2)]
    counted = None
    while counted is None or counted.fits:  # on a slow computer something has run out by the third
        counted = counts.read(await redis.run_script(counts.call(buckets)))
        assert counted
    wait = judge(buckets, counted.levels).wait
    assert 0 < wait <= 1

    await asyncio.sleep(wait)  # the wait is what is judged

    assert await takes(counts, redis, buckets)


async def test_S16_every_count_ends_by_itself_when_its_bucket_is_empty(
    counts: RateCounts, redis: GuardedRedis, valkey: str
) -> None:
    buckets = [Bucket(counts.key("slot", name), 10, 60) for name in ("a", "b")]
    began = time.monotonic()
    await takes(counts, redis, buckets)
    await takes(counts, redis, buckets)

    async with Redis.from_url(valkey) as plain:
        left = [await plain.pttl(bucket.key) for bucket in buckets]

    passed = (time.monotonic() - began) * 1000
    assert all(11_000 - passed < milliseconds <= 12_000 for milliseconds in left)


async def test_A5_a_clock_of_redis_that_went_back_makes_no_bucket_fuller_than_full(
    counts: RateCounts, redis: GuardedRedis, valkey: str
) -> None:
    bucket = Bucket(counts.key("slot"), 10, 60)
    async with Redis.from_url(valkey) as plain:
        await plain.set(bucket.key, str(int((time.time() + 86_400) * 1_000_000)), ex=90_000)

    counted = counts.read(await redis.run_script(counts.call([bucket])))

    assert counted
    assert (counted.fits, counted.levels) == (False, [10])


@pytest.mark.parametrize("value", ["", "nonsense", "-1", "0", "1e400"])
async def test_A5_a_count_that_is_none_counts_as_empty_or_full_and_never_fails(
    counts: RateCounts, redis: GuardedRedis, valkey: str, value: str
) -> None:
    bucket = Bucket(counts.key("slot"), 10, 60)
    async with Redis.from_url(valkey) as plain:
        await plain.set(bucket.key, value, ex=100)

    counted = counts.read(await redis.run_script(counts.call([bucket])))

    assert counted
    assert counted.levels[0] in {0, 10}


def test_S14_names_tell_nothing_without_the_key() -> None:
    one, same, other = (RateCounts(None, key) for key in (b"k" * 32, b"k" * 32, b"l" * 32))  # type: ignore[arg-type]  # asks nothing

    assert one.name("198.51.100.0/24") == same.name("198.51.100.0/24")
    assert one.name("198.51.100.0/24") != other.name("198.51.100.0/24")
    assert "198.51" not in one.key(one.name("198.51.100.0/24"))
    assert one.name("a", "bc") != one.name("ab", "c")


async def test_A5_where_the_time_may_not_be_asked_nothing_is_counted_and_that_is_said(
    counts: RateCounts, valkey: str
) -> None:
    async with Redis.from_url(valkey) as plain:
        await plain.acl_setuser("default", enabled=True, commands=["-time"])
        try:
            assert await counts.add([Bucket(counts.key("slot"), 10, 60)], 1) is None
            assert not await plain.exists(counts.key("slot"))
        finally:
            await plain.acl_setuser("default", enabled=True, commands=["+time"])


async def test_A5_a_redis_without_memory_counts_nothing_and_that_is_said(
    counts: RateCounts, valkey: str
) -> None:
    async with Redis.from_url(valkey) as plain:
        limit = (await plain.config_get("maxmemory"))["maxmemory"]
        await plain.config_set("maxmemory", 1)
        try:
            assert await counts.add([Bucket(counts.key("slot"), 10, 60)], 1) is None
        finally:
            await plain.config_set("maxmemory", limit or "0")
