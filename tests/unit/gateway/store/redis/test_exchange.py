"""Commands by a connection of the pool: each is answered by its own answer, or by none (R3, R9)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.exchange import exchange
from gateway.store.redis.packing import packed
from tests.stage.patience import PATIENCE


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[GuardedRedis]:
    client = redis_client(valkey)
    assert isinstance(client, GuardedRedis)
    yield client
    await client.aclose()


async def test_answers_come_in_order_and_a_refusal_takes_the_place_of_its_own(client: GuardedRedis) -> None:
    pool = client.connection_pool

    answers = await exchange(
        pool,
        [packed("SET", "a", "text"), packed("HGET", "a", "f"), packed("GET", "a"), packed("GET", "none")],
    )

    assert answers[0] == b"OK"
    assert isinstance(answers[1], ResponseError)
    assert answers[2:] == [b"text", None]
    assert len(pool._available_connections) == 1


@pytest.mark.parametrize("answered", [0, 1, 2])
async def test_R9_whoever_leaves_leaves_no_answer_to_the_next(
    client: GuardedRedis, plain: Redis, answered: int
) -> None:
    pool = client.connection_pool
    before = [packed("ECHO", "somebody else's")] * answered
    leaving = asyncio.ensure_future(exchange(pool, [*before, packed("BLPOP", "nothing", 0)]))
    while not (await plain.info("clients"))["blocked_clients"]:  # noqa: ASYNC110 - the server tells nobody by itself
        await asyncio.sleep(0.001)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    for word in ("mine", "mine, too"):
        assert await exchange(pool, [packed("ECHO", word)]) == [word.encode()]


async def test_R3_a_server_that_takes_nothing_more_is_silent_too() -> None:
    held: list[asyncio.StreamWriter] = []

    async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a server's transport can
        await reader.read()

    async with asyncio.timeout(PATIENCE), await asyncio.start_server(take_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = redis_client(f"redis://127.0.0.1:{port}")
        assert isinstance(client, GuardedRedis)
        with pytest.raises(RedisTimeoutError):
            await exchange(client.connection_pool, [packed("SET", "a", bytes(64_000_000))])
        assert not any(one.is_connected for one in client.connection_pool._available_connections)
        for writer in held:
            writer.transport.abort()
        await client.aclose()


async def test_R3_a_server_that_closes_is_told_and_asked_anew(client: GuardedRedis) -> None:
    pool = client.connection_pool
    with pytest.raises(RedisConnectionError):
        await exchange(pool, [packed("QUIT"), packed("ECHO", "too late")])

    assert await exchange(pool, [packed("ECHO", "again")]) == [b"again"]


def test_a_pipeline_of_redis_pys_would_pass_no_guard(client: GuardedRedis) -> None:
    with pytest.raises(NotImplementedError):
        client.pipeline()


@pytest.mark.parametrize(
    "ask",
    [
        lambda one: one.ping(),
        lambda one: one.set("a", b"\xff text", ex=60),
        lambda one: one.set("there", "x", nx=True),
        lambda one: one.get("number"),
        lambda one: one.get("nothing"),
        lambda one: one.exists("number", "nothing"),
        lambda one: one.zrangebyscore("set", "-inf", 2.5, 0, 5, withscores=True),
        lambda one: one.zrangebyscore("set", "-inf", "+inf"),
        lambda one: one.zrem("set", "nobody"),
        lambda one: one.hmget("hash", "f", "g"),
        lambda one: one.config_get("maxmemory-policy"),
        lambda one: one.pttl("nothing"),
    ],
)
async def test_redis_pys_own_commands_answer_as_they_do_by_its_own_client(
    client: GuardedRedis, plain: Redis, ask: Callable[[Redis], Awaitable[object]]
) -> None:
    await plain.set("number", 7)
    await plain.set("there", 1)
    await plain.zadd("set", {"one": 1, "two": 2.5, "three": 3})
    await plain.hset("hash", "f", "v")

    assert await ask(client) == await ask(plain)


async def test_a_refusal_of_one_command_is_raised(client: GuardedRedis, plain: Redis) -> None:
    await plain.set("text", "x")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await client.hget("text", "f")
    assert await client.getdel("text") == b"x"
    assert await client.get("text") is None
