"""A Redis that would throw sessions away is told of at start (L15), and not only to whoever asks the doctor."""

import asyncio
import secrets

import pytest

from tests.real.redis.clusters import Clusters
from tests.real.redis.conftest import MakeWorld
from tests.real.redis.servers import Servers
from tests.real.redis.test_least_rights import admit
from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.patience import PATIENCE

PASSWORD = secrets.token_urlsafe(12)


async def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of eviction, once something was."""
    for _ in range(PATIENCE * 20):
        if said := [one.message for one in caplog.records if one.name == "gateway.store.eviction"]:
            return said
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was said")


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-random"])
async def test_L15_a_redis_that_evicts_is_warned_of_at_start(
    servers: Servers, make_world: MakeWorld, caplog: pytest.LogCaptureFixture, policy: str
) -> None:
    one = servers.one({"maxmemory-policy": policy})

    world = await make_world(REDIS_URL=one.url)

    assert await told(caplog) == ["redis-evicts"]
    await world.signed_in()


async def test_L15_where_info_is_forbidden_config_is_asked(
    servers: Servers, make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    one = servers.one({"maxmemory-policy": "allkeys-lfu"})
    admit(one, PASSWORD)
    one.ask("ACL", "SETUSER", "stepup", "+config|get")

    await make_world(REDIS_URL=f"redis://stepup:{PASSWORD}@127.0.0.1:{one.port}/0")

    assert await told(caplog) == ["redis-evicts"]


async def test_L15_a_policy_that_cannot_be_read_is_told_as_that(
    servers: Servers, make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    one = servers.one()
    admit(one, PASSWORD)

    world = await make_world(REDIS_URL=f"redis://stepup:{PASSWORD}@127.0.0.1:{one.port}/0")

    assert await told(caplog) == ["redis-eviction-unknown"]
    await world.signed_in()


async def test_L15_one_server_of_a_cluster_is_enough_for_a_warning(
    servers: Servers, make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Clusters(servers).take()
    cluster[2].ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")

    await make_world(REDIS_URL=f"redis+cluster://:{cluster[0].password}@127.0.0.1:{cluster[0].port}")

    assert await told(caplog) == ["redis-evicts"]


async def test_L15_a_redis_that_comes_later_is_asked_then_and_one_that_keeps_all_is_not_told_of(
    servers: Servers, make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    one = servers.one()
    async with FaultProxy.before("127.0.0.1", one.port) as proxy:
        proxy.faults = Faults(refuse=True)
        world = await make_world(REDIS_URL=one.by_way_of(proxy.port))
        proxy.heal()
        asked = one.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"]
        for _ in range(PATIENCE * 10):
            if one.info("commandstats")["cmdstat_info"]["calls"] > asked + 1:
                break
            await asyncio.sleep(0.1)
            asked += 1  # that of this question
        await world.signed_in()

    assert [one.message for one in caplog.records if one.name == "gateway.store.eviction"] == []
