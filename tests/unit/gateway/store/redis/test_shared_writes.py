"""Scripts that write and may happen twice share a connection of their own (R3, R9)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from gateway.store.redis.budget import RedisLimits
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.packing import packed
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.scripts import CLAIM, END, PREPEND, READ, RELEASE, SPEND, WRITE
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import Manner, ScriptedRedis, hash_of_names
from tests.unit.gateway.store.redis.heard_counts import HeardCounts


@asynccontextmanager
async def client_of(url: str, heard: HeardCounts | None = None) -> AsyncIterator[GuardedRedis]:
    """Give a client of a server."""
    patient = RedisLimits(command=PATIENCE, attempt=PATIENCE, request=PATIENCE)
    client = redis_client(url, counts=heard, limits=patient)
    assert isinstance(client, GuardedRedis)
    try:
        async with asyncio.timeout(PATIENCE):
            yield client
    finally:
        await client.aclose()


def prepend(key: object, piece: bytes = b"x") -> ScriptCall:
    return ScriptCall(PREPEND, [f"list-{key}"], [piece, 9, 60])


def echo(command: Command) -> bytes:
    """Answer a script with its first key, and a read with names."""
    if command.name == "HMGET":
        return hash_of_names(command)
    key = command.words[3]
    return b"$%d\r\n%s\r\n" % (len(key), key)


async def test_R3_writes_of_many_share_one_connection_and_each_has_its_own_answer() -> None:
    async with ScriptedRedis(answer=echo).running() as server, client_of(server.url) as client:
        writes = [asyncio.create_task(client.run_script(prepend(number))) for number in range(30)]
        leaving = writes[3::4]
        await asyncio.sleep(0)
        for one in leaving:
            one.cancel()
        answers = await asyncio.gather(*writes, return_exceptions=True)

    for number, answer in enumerate(answers):
        if writes[number] in leaving:
            assert isinstance(answer, asyncio.CancelledError)
        else:
            assert answer == b"list-%d" % number
    assert server.connections == 1


@pytest.mark.parametrize("script", [WRITE, PREPEND, CLAIM, RELEASE, END, SPEND])
async def test_R3_a_write_that_redis_holds_holds_up_no_read(valkey: str, script: str) -> None:
    async with client_of(valkey) as client, Redis.from_url(valkey) as control:
        await control.hset("hash", "field", "value")
        keys = {WRITE: ["hash"], END: ["hash", "tombstone"], CLAIM: ["lock", "hash"]}.get(script, ["key"])
        arguments: dict[str, Sequence[object]] = {
            WRITE: [1, "", "", "", 9_999, "other", "new", 0],
            END: ["signed-out", 60],
            CLAIM: ["mark", 1000, "field"],
            SPEND: [1, 9, 60, "mark"],
        }
        await client.run_script(ScriptCall(PREPEND, ["list"], ["warm", 9, 60]))

        await control.client_pause(600_000, all=False)
        try:
            writing = asyncio.create_task(
                client.run_script(ScriptCall(script, keys, arguments.get(script, ["piece", 9, 60])))
            )
            while not (await control.info("clients"))["blocked_clients"]:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.001)
            assert await client.reads.ask(packed("HMGET", "hash", "field")) == [b"value"]
            assert not writing.done()
        finally:
            await control.client_unpause()
        await writing


async def test_R3_a_write_whose_connection_is_cut_is_sent_once_more_and_only_once() -> None:
    heard = HeardCounts()
    server = ScriptedRedis([Manner(cut_after=0)] * 2, answer=echo)
    async with server.running(), client_of(server.url, heard) as client:
        with pytest.raises(RedisConnectionError):
            await client.run_script(prepend("a"))
        assert [command.words[3] for command in server.commands] == []
        server.next(Manner(cut_after=3))
        assert await client.run_script(prepend("b")) == b"list-b"
    assert [command.words[3] for command in server.commands] == [b"list-b"] * 2
    assert heard.asked == [("failed", 1), ("answered", 1)]


async def test_R3_a_server_that_is_the_master_no_more_is_left_by_reads_and_writes() -> None:
    refusals = iter([b"-READONLY You can't write against a read only replica.\r\n"])

    def answer(command: Command) -> bytes:
        return next(refusals, None) or echo(command) if command.name == "EVALSHA" else echo(command)

    async with ScriptedRedis(answer=answer).running() as server, client_of(server.url) as client:
        read = packed("HMGET", "one", "a")
        assert await client.reads.ask(read) == [b"one.a"]
        assert await client.run_script(prepend("a")) == b"list-a"
        assert await client.reads.ask(read) == [b"one.a"]
    assert server.connections == 4, "both connections were made anew"


async def test_R3_any_other_refusal_is_of_that_write_alone(valkey: str) -> None:
    async with client_of(valkey) as client:
        await client.set("list-text", "x")
        await client.hset("list-hash", "a", "b")
        answers = await asyncio.gather(
            client.run_script(prepend("text")),
            client.run_script(prepend("hash")),
            client.run_script(prepend("none")),
            return_exceptions=True,
        )
    assert (answers[0], answers[2]) == (1, 1)
    assert isinstance(answers[1], ResponseError)


async def test_R3_a_server_that_forgot_its_scripts_is_told_them_and_nothing_is_lost(valkey: str) -> None:
    async with client_of(valkey) as client:
        await client.run_script(prepend("a"))
        await client.execute_command("SCRIPT FLUSH")
        assert await asyncio.gather(*(client.run_script(prepend(key, b"new")) for key in "abcd")) == [1] * 4
        assert await client.get("list-a") == b"0003new0001x"


async def test_R3_a_large_write_goes_by_its_pool_and_a_small_one_does_not_wait_for_it() -> None:
    deaf = Manner()
    async with ScriptedRedis([deaf], answer=echo).running() as server, client_of(server.url) as client:
        deaf.deaf.clear()
        large = asyncio.create_task(client.run_script(prepend("large", bytes(70_000))))
        while server.connections < 1:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
        assert await client.run_script(prepend("small")) == b"list-small"
        assert not large.done()
        deaf.deaf.set()
        assert await large == b"list-large"
    assert server.connections == 2


async def test_R3_what_reads_alone_goes_with_the_reads() -> None:
    async with ScriptedRedis(answer=echo).running() as server, client_of(server.url) as client:
        await client.reads.ask(packed("HMGET", "one", "a"))
        assert await client.run_script(ScriptCall(READ, ["two"], ["a"])) == b"two"
    assert server.connections == 1
