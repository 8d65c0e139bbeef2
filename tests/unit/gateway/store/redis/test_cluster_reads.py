"""Reads of a cluster (R8): one connection to each server, and the general way for whatever is not answered plainly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.store.redis.budget import RedisLimits
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster_reads import ClusterReads
from gateway.store.redis.connection import redis_client
from gateway.store.redis.packing import packed
from gateway.store.redis.reads import Reads
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import Manner, ScriptedRedis, hash_of_names

QUICK = RedisLimits(command=0.1, attempt=1.2, request=1.6)
OF_ONE = packed("HMGET", "stepup:{one}:x", "a", "b")
OF_OTHER = packed("HMGET", "stepup:{other}:x", "a", "b")
OF_NOBODY = packed("HMGET", "stepup:{nobody}:x", "a", "b")


@asynccontextmanager
async def reading(**servers: ScriptedRedis) -> AsyncIterator[ClusterReads]:
    """Give the reads of a cluster of servers, each of which has the keys with its name.

    After a server fell silent, none is known.
    """
    async with AsyncExitStack() as running, asyncio.timeout(PATIENCE):
        known: set[str] = set()
        readers: dict[str, Reads] = {}
        for name, server in servers.items():
            await running.enter_async_context(server.running())
            client = redis_client(server.url, limits=QUICK)
            assert isinstance(client, GuardedRedis)
            running.push_async_callback(client.aclose)
            known.add(name)
            readers[name] = client.reads

        def server_of(key: bytes) -> str:
            name = key.decode().partition("{")[2].partition("}")[0]
            return name if name in known else ""

        yield ClusterReads(server_of, lambda name: readers[name], known.clear)


async def test_R8_each_server_is_asked_by_one_connection() -> None:
    one, other = ScriptedRedis(), ScriptedRedis()
    async with reading(one=one, other=other) as reads:
        for _ in range(3):
            assert list(await asyncio.gather(reads.values(OF_ONE, 2), reads.values(OF_OTHER, 2))) == [
                [b"stepup:{one}:x.a", b"stepup:{one}:x.b"],
                [b"stepup:{other}:x.a", b"stepup:{other}:x.b"],
            ]
        assert await reads.values(OF_NOBODY, 2) is None, "the general way looks for the server"
    assert (one.connections, other.connections) == (1, 1)
    assert (len(one.commands), len(other.commands)) == (3, 3)


@pytest.mark.parametrize(
    "said",
    [
        "MOVED 3999 127.0.0.1:6381",
        "ASK 3999 127.0.0.1:6381",
        "TRYAGAIN in a moment",
        "CLUSTERDOWN the cluster is down",
    ],
)
async def test_R8_what_a_server_has_not_got_is_left_to_the_general_way_and_concerns_nobody_else(
    said: str,
) -> None:
    def answer(command: Command) -> bytes:
        return f"-{said}\r\n".encode() if b"moved" in command.words[1] else hash_of_names(command)

    moved = packed("HMGET", "stepup:{one}:moved", "a", "b")
    async with reading(one=(one := ScriptedRedis(answer=answer))) as reads:
        for _ in range(9):
            assert list(await asyncio.gather(reads.values(moved, 2), reads.values(OF_ONE, 2))) == [
                None,
                [b"stepup:{one}:x.a", b"stepup:{one}:x.b"],
            ]
    assert one.connections == 1


async def test_R8_a_server_that_is_lost_is_left_to_the_general_way_and_the_others_answer() -> None:
    lost = ScriptedRedis([Manner(cut_after=0)] * 9)
    async with reading(one=ScriptedRedis(), other=lost) as reads:
        for _ in range(4):
            assert await reads.values(OF_OTHER, 2) is None
            assert await reads.values(OF_ONE, 2)
    assert lost.connections == 6, "and by then it is left alone, until the general way has found it back"


async def test_R8_what_a_server_refuses_or_makes_up_is_no_answer() -> None:
    for said in (b"-NOPERM no\r\n", b"*1\r\n$1\r\nx\r\n"):
        async with reading(one=ScriptedRedis(answer=lambda _, said=said: said)) as reads:  # type: ignore[misc]
            with pytest.raises(SessionStoreUnavailable):
                await reads.values(OF_ONE, 2)


async def test_R8_whoever_waited_for_a_silent_server_twice_waits_no_more_and_the_servers_are_looked_for() -> (
    None
):
    silent = ScriptedRedis([Manner(silent=True), Manner(silent=True)])
    async with reading(one=ScriptedRedis(), other=silent) as reads:
        assert await reads.values(OF_ONE, 2)
        with pytest.raises(SessionStoreUnavailable):
            await reads.values(OF_OTHER, 2)
        assert await reads.values(OF_ONE, 2) is None, "until the general way has looked"
    assert silent.connections == 2
