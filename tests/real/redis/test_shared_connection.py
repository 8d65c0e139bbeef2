"""The connection that reads share, to real servers (R2, R9): nobody is given another's answer, or told of a cut."""

import asyncio
import contextlib
import os
import random
from pathlib import Path

import pytest

from devstack.tls_redis import WHY_NONE, tls_server
from gateway.store.redis.budget import LIMITS, redis_budget
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.packing import packed
from servicekit import event_loop
from tests.real.redis.certificates import Authority
from tests.real.redis.servers import RedisServer, Servers

ROUNDS, CROWD = 40, 12


def fill(server: RedisServer) -> None:
    """Let the server hold something for each of a crowd."""
    for number in range(CROWD):
        server.ask("HSET", f"stepup:{number}", "name", number)


async def crowds(client: GuardedRedis, server: RedisServer) -> None:
    """Let crowds read, of whom some leave at any moment, while the server throws everybody out now and then."""
    dice = random.Random(12)  # noqa: S311 - nothing is secret about it

    async def read(number: int) -> None:
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        with redis_budget(LIMITS.request):
            assert await client.reads.ask(packed("HMGET", f"stepup:{number}", "name")) == [b"%d" % number]

    for number in range(ROUNDS):
        reading = [asyncio.create_task(read(one)) for one in range(CROWD)]
        if number % 4 == 0:
            await asyncio.to_thread(server.ask, "CLIENT", "KILL", "TYPE", "normal")
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)
        for one in dice.sample(reading, dice.randrange(CROWD)):
            one.cancel()
        for one in reading:
            with contextlib.suppress(asyncio.CancelledError):
                await one
    await client.aclose()


async def test_R2_readers_never_notice_that_the_server_threw_them_out(one: RedisServer) -> None:
    client = redis_client(one.url)
    assert isinstance(client, GuardedRedis)

    fill(one)
    await crowds(client, one)


def test_R2_nor_by_tls_and_on_the_event_loop_that_the_product_runs_on(
    servers: Servers, tmp_path: Path
) -> None:
    binary = tls_server(os.environ)
    if binary is None:
        pytest.skip(WHY_NONE)
    server = servers.one(binary=binary, tls=Authority("ours").server(tmp_path))
    client = redis_client(
        f"rediss://:{server.password}@127.0.0.1:{server.tls_port}", ca_bundle=str(tmp_path / "ca.pem")
    )
    assert isinstance(client, GuardedRedis)

    fill(server)
    event_loop.run(crowds(client, server))


async def test_R3_a_connection_that_fell_silent_is_left_and_the_readers_hear_from_the_next(
    one: RedisServer,
) -> None:
    client = redis_client(one.url)
    assert isinstance(client, GuardedRedis)
    await client.hset("stepup:1", "name", "x")
    assert await client.reads.ask(packed("HMGET", "stepup:1", "name")) == [b"x"]

    with one.frozen():
        reading = [
            asyncio.create_task(client.reads.ask(packed("HMGET", "stepup:1", "name"))) for _ in range(9)
        ]
        await asyncio.sleep(LIMITS.command * 1.2)  # the first connection is given up by then
    assert await asyncio.gather(*reading) == [[b"x"]] * 9
    await client.aclose()
