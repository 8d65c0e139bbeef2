"""A Redis that answers and refuses: without memory, read-only, or no longer the master (R5, R7)."""

from tests.real.redis.conftest import (
    SIGN_IN,
    STEP_UP,
    UNAVAILABLE,
    MakeWorld,
    back,
    is_kept,
    promised,
    refused_honestly,
    sent_to_problem,
)
from tests.real.redis.servers import RedisServer, Servers
from tests.real.redis.watched_pair import WatchedPair
from tests.stage.fault_proxy import FaultProxy
from tests.stage.other_front_end import ADA
from tests.stage.ports import free_port


def lasting_keys(one: RedisServer) -> list[str]:
    """Return all keys but those of counts, which end by themselves within seconds."""
    return sorted(key for key in one.ask("KEYS", "*") if not key.startswith("stepup:rate:"))


async def test_R7_without_memory_people_go_on_reading_and_nothing_is_half_written(
    make_world: MakeWorld, one: RedisServer
) -> None:
    world = await make_world(REDIS_URL=one.url)
    ada, grace = await world.signed_in(), await world.confirmed()
    cookies = ada.cookie(), grace.cookie()
    before = lasting_keys(one)
    one.ask("CONFIG", "SET", "maxmemory", "1mb")

    for _ in range(3):
        assert (await promised(ada.call("GET", "/api/profile"))).status == 200
        world.forward(600)  # also beyond the moment at which the session is noted as in use
    assert (await promised(ada.call("GET", "/api/session"))).body["authenticated"] is True
    await refused_honestly(ada.call("PATCH", "/api/profile", {"city": "Oslo"}))
    await sent_to_problem(ada.navigate(STEP_UP), UNAVAILABLE)
    fresh = await world.front_end()
    await sent_to_problem(fresh.navigate(SIGN_IN), UNAVAILABLE)

    assert lasting_keys(one) == before
    assert (ada.cookie(), grace.cookie()) == cookies
    assert (await promised(grace.call("POST", "/auth/sign-out"))).status == 200, "leaving is possible"

    one.ask("CONFIG", "SET", "maxmemory", "0")
    assert await ada.step_up(STEP_UP) == "/edit"
    assert (await ada.call("PATCH", "/api/profile", {"city": "Oslo"})).status == 200


async def test_A4_R7_without_memory_all_other_sessions_can_be_ended(
    make_world: MakeWorld, one: RedisServer
) -> None:
    world = await make_world(REDIS_URL=one.url)
    here, there = await world.signed_in(), await world.signed_in()
    one.ask("CONFIG", "SET", "maxmemory", "1mb")

    assert (await promised(here.call("DELETE", "/api/sessions"))).body == {"ended": 1}

    assert (await promised(there.call("GET", "/api/profile"))).status == 401
    assert (await promised(here.call("GET", "/api/profile"))).status == 200


async def test_R7_a_sign_in_that_meets_a_full_redis_on_its_way_back_leaves_nothing(
    make_world: MakeWorld, one: RedisServer
) -> None:
    world = await make_world(REDIS_URL=one.url)
    ada = await world.front_end()
    page = await ada.leave(SIGN_IN)
    page = await ada.visitor.submit(page, email=ADA[0], password=ADA[1])
    one.ask("CONFIG", "SET", "maxmemory", "1mb")

    assert (await ada.come_back(page)).startswith(f"/problem?type={UNAVAILABLE}")

    assert not ada.cookie()
    assert not [key for key in one.ask("KEYS", "*") if "{" in key], "no session without a cookie"
    one.ask("CONFIG", "SET", "maxmemory", "0")
    assert await ada.sign_in() == "/edit"


async def test_R7_on_a_replica_people_go_on_reading_and_the_rest_is_told_honestly(
    make_world: MakeWorld, one: RedisServer
) -> None:
    world = await make_world(REDIS_URL=one.url)
    ada = await world.confirmed()
    cookie = ada.cookie()
    assert (await ada.call("GET", "/api/profile")).status == 200
    one.ask("REPLICAOF", "127.0.0.1", free_port())

    for _ in range(3):
        assert (await promised(ada.call("GET", "/api/profile"))).status == 200
        world.forward(300)
    await refused_honestly(ada.call("POST", "/auth/sign-out"))
    await sent_to_problem(ada.navigate(SIGN_IN), UNAVAILABLE)
    await sent_to_problem(ada.navigate(STEP_UP), UNAVAILABLE)
    await is_kept(ada, cookie)

    one.ask("REPLICAOF", "NO", "ONE")
    assert (await back(lambda: ada.call("PATCH", "/api/profile", {"city": "Oslo"}))).status == 200
    assert (await ada.call("POST", "/auth/sign-out")).status == 200


async def test_R5_an_address_that_leads_to_another_server_after_a_failover_is_followed(
    servers: Servers, make_world: MakeWorld
) -> None:
    """As behind a DNS name or a virtual address: the old server is still there, and says READONLY."""
    pair = WatchedPair(servers)
    pair.sentinel.kill()
    async with FaultProxy.before("127.0.0.1", pair.master.port) as proxy:
        world = await make_world(REDIS_URL=pair.master.by_way_of(proxy.port))
        ada = await world.confirmed()

        pair.replica.ask("REPLICAOF", "NO", "ONE")
        pair.master.ask("REPLICAOF", "127.0.0.1", pair.replica.port)
        proxy.lead_to(pair.replica.port)

        saved = await promised(ada.call("PATCH", "/api/profile", {"city": "Oslo"}))
        assert (saved.status, saved.body["city"]) == (200, "Oslo"), "not one request notices"
