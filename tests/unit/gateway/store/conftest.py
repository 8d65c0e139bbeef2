"""A server for the tests of scripts."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.unit.gateway.store.script_runs import ENDS, INDEXED, LOCK, OLD
from tests.unit.gateway.store_of_tests import NOW


@pytest.fixture
async def plain(valkey: str) -> AsyncIterator[Redis]:
    """Give a client of redis-py's own of a server that holds one session, one index and one lock."""
    async with Redis.from_url(valkey) as client:
        await client.hset(
            OLD.key, mapping={"seen": "1", "writes": "4", "session": "s", "parked:a": ENDS + b"a"}
        )
        await client.expire(OLD.key, 1000)
        await client.zadd(INDEXED, {OLD.packed: NOW})
        await client.expire(INDEXED, 1000)
        await client.set(LOCK, "mark", px=1_000_000)
        yield client
