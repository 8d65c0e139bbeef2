"""Who may sign out while replicas are to be waited for (L15): a replica that is silent is waited for, none is not."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.counts import Counts
from gateway.errors import SessionStoreUnavailable
from gateway.store.fields import Field
from gateway.store.names import SessionRef
from gateway.store.redis.connection import redis_client
from gateway.store.redis.replicas import ALONE_SECONDS, ReplicaWatch
from gateway.store.sealing import KeyRing
from gateway.store.vault import Indexing, Vault
from tests.real.redis.clusters import Clusters
from tests.real.redis.conftest import MakeWorld
from tests.real.redis.servers import RedisServer, Servers, until
from tests.real.redis.watched_pair import WatchedPair


class Clock:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Alone(Counts):
    """Hears of ends that no replica has."""

    heard = 0

    def end_not_replicated(self) -> None:
        """Count."""
        self.heard += 1


@asynccontextmanager
async def vault_at(url: str, clock: Clock, counts: Counts | None = None) -> AsyncIterator[Vault]:
    """Give a vault that waits for one replica."""
    redis = redis_client(url)
    watch = ReplicaWatch(redis, now=clock)
    try:
        yield Vault(
            redis,
            KeyRing([secrets.token_bytes(32)]),
            now=time.time,
            replicas=1,
            counts=counts,
            replica_watch=watch,
        )
    finally:
        await redis.aclose()


async def session(vault: Vault) -> SessionRef:
    """Write a session."""
    ref = SessionRef(secrets.token_urlsafe(16), secrets.token_hex(32))
    fields = {"note": Field(b"x", time.time() + 600)}
    assert await vault.create(ref, fields, idle=600, secret=b"x", indexing=Indexing((), time.time(), 600))
    return ref


async def refused(vault: Vault) -> None:
    """Assert that an end is not told as done."""
    with pytest.raises(SessionStoreUnavailable):
        await vault.ends.end(await session(vault), "signed-out")


@pytest.fixture
def pair(servers: Servers) -> WatchedPair:
    return WatchedPair(servers)


async def test_L15_without_any_replica_people_can_sign_out_after_half_a_minute(
    pair: WatchedPair, caplog: pytest.LogCaptureFixture
) -> None:
    clock, counts = Clock(), Alone()
    async with vault_at(pair.url, clock, counts) as vault:
        assert await vault.ends.end(await session(vault), "signed-out"), "the replica has it"
        pair.replica.kill()
        until(lambda: pair.master.info("replication")["connected_slaves"] == 0, pair.master.log)

        await refused(vault)
        clock.now += ALONE_SECONDS - 1
        await refused(vault)
        clock.now += 1
        ref = await session(vault)
        assert await vault.ends.end(ref, "signed-out")
        assert await vault.ends.reason(ref) == "signed-out"

    assert counts.heard == 1
    assert "end-not-replicated" in caplog.messages


async def test_L15_a_replica_that_is_there_and_silent_is_waited_for_however_long(pair: WatchedPair) -> None:
    clock = Clock()
    async with vault_at(pair.url, clock) as vault:
        with pair.replica.frozen():
            for _ in range(3):
                await refused(vault)
                clock.now += ALONE_SECONDS


async def test_L15_a_replica_that_came_and_went_begins_the_time_anew(pair: WatchedPair) -> None:
    clock = Clock()
    async with vault_at(pair.url, clock) as vault:
        pair.replica.kill()
        until(lambda: pair.master.info("replication")["connected_slaves"] == 0, pair.master.log)
        await refused(vault)
        pair.replica.start()
        until(lambda: pair.master.ask("WAIT", 1, 100) == 1, pair.replica.log)
        clock.now += ALONE_SECONDS
        assert await vault.ends.end(await session(vault), "signed-out")
        assert not await vault.replica_watch.is_alone("")
        pair.replica.kill()
        until(lambda: pair.master.info("replication")["connected_slaves"] == 0, pair.master.log)

        await refused(vault)

        clock.now += 10 * ALONE_SECONDS
        await refused(vault)  # nobody has looked for so long that a replica may have come and gone


async def test_L15_in_a_cluster_each_shard_is_judged_by_itself(servers: Servers) -> None:
    cluster = Clusters(servers).take()
    clock = Clock()
    url = f"redis+cluster://:{cluster[0].password}@127.0.0.1:{cluster[0].port}"
    async with vault_at(url, clock) as vault:
        ref = await session(vault)
        with pytest.raises(SessionStoreUnavailable):
            await vault.ends.end(ref, "signed-out")
        clock.now += ALONE_SECONDS

        await vault.ends.end(ref, "signed-out")

        servers_asked = {vault.redis.server_of(ref.key)}
        while vault.redis.server_of((other := await session(vault)).key) in servers_asked:
            pass
        with pytest.raises(SessionStoreUnavailable):
            await vault.ends.end(other, "signed-out")


async def test_L15_the_gateway_looks_before_somebody_signs_out(
    servers: Servers, make_world: MakeWorld
) -> None:
    one: RedisServer = servers.one()
    await make_world(REDIS_URL=one.url, REDIS_WAIT_REPLICAS="1")

    await asyncio.to_thread(until, lambda: "cmdstat_wait" in one.info("commandstats"), one.log)
