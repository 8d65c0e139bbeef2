"""The counter that other tests rely on, against a real Valkey."""

import asyncio

from redis.asyncio import Redis

from gateway.store.scripts import PREPEND, sha1_of
from tests.stage.redis_traffic import CountedRedis


async def test_a_command_is_one_round_trip_and_several_sent_together_are_one_as_well(valkey: str) -> None:
    async with CountedRedis.before(valkey) as counted, Redis.from_url(counted.url) as redis:
        async with counted.counting() as one_by_one:
            await redis.set("a", "1")
            await redis.get("a")
        async with counted.counting() as together:
            pipeline = redis.pipeline(transaction=False)
            for key in ("a", "b", "c"):
                pipeline.get(key)
            await pipeline.execute()

    assert (one_by_one.commands, one_by_one.round_trips) == (["SET", "GET"], 2)
    assert (together.commands, together.round_trips) == (["GET", "GET", "GET"], 1)


async def test_what_a_script_calls_is_part_of_it(valkey: str) -> None:
    script = "redis.call('SET', KEYS[1], '1') return redis.call('GET', KEYS[1])"

    async with (
        CountedRedis.before(valkey) as counted,
        Redis.from_url(counted.url) as redis,
        counted.counting() as traffic,
    ):
        assert await redis.eval(script, 1, "a") == b"1"

    assert (traffic.commands, traffic.round_trips) == (["EVAL"], 1)


async def test_what_is_kept_of_a_person_s_activity_is_not_waited_for(valkey: str) -> None:
    async with CountedRedis.before(valkey) as counted, Redis.from_url(counted.url) as redis:
        await redis.script_load(PREPEND)
        async with counted.counting() as traffic:
            await redis.evalsha(sha1_of(PREPEND), 1, "a", "piece", "50", "60")
            await redis.evalsha(sha1_of(PREPEND), 1, "a", "another", "50", "60")
            await redis.get("b")

    assert (traffic.commands, traffic.round_trips) == (["GET"], 1)


async def test_connections_are_set_up_for_nothing_and_only_what_comes_through_is_counted(valkey: str) -> None:
    async with (
        CountedRedis.before(valkey) as counted,
        Redis.from_url(valkey) as another,
        counted.counting() as traffic,
        Redis.from_url(counted.url) as first,
        Redis.from_url(counted.url) as second,
    ):
        await asyncio.gather(first.get("a"), second.get("a"), another.get("a"))

    assert (traffic.commands, traffic.round_trips) == (["GET", "GET"], 2)


async def test_nothing_is_counted_before_or_after(valkey: str) -> None:
    async with CountedRedis.before(valkey) as counted, Redis.from_url(counted.url) as redis:
        await redis.get("a")
        async with counted.counting() as traffic:
            pass
        await redis.get("a")

    assert (traffic.commands, traffic.round_trips) == ([], 0)
