"""A connection that reads share to a server that misbehaves, for the tests of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.counts import Counts
from gateway.store.redis.budget import LIMITS, RedisLimits
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.packing import packed
from gateway.store.redis.shared_connection import SharedConnection
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import ScriptedRedis, hash_of_names


@asynccontextmanager
async def shared(
    server: ScriptedRedis, limits: RedisLimits = LIMITS, counts: Counts | None = None
) -> AsyncIterator[SharedConnection]:
    """Give the connection of a client of a server that runs meanwhile."""
    async with server.running():
        client = redis_client(server.url, limits=limits, counts=counts)
        assert isinstance(client, GuardedRedis)
        try:
            async with asyncio.timeout(PATIENCE):
                yield client.reads.connection
        finally:
            await client.aclose()


def asked(connection: SharedConnection, key: object, *fields: str) -> "asyncio.Future[Any]":
    return connection.send(packed("HMGET", f"key-{key}", *(fields or ("a", "b"))))


def own(key: object) -> list[bytes]:
    """Return the answer to whoever asked for a key."""
    return [f"key-{key}.a".encode(), f"key-{key}.b".encode()]


async def ends(*futures: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*futures, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    while not holds():  # noqa: ASYNC110 - what is waited for is inside of the connection
        await asyncio.sleep(0)


def refuses_some(command: Command) -> bytes:
    """Refuse whoever asks for a key that says so."""
    return b"-NOPERM no\r\n" if b"refused" in command.words[1] else hash_of_names(command)
