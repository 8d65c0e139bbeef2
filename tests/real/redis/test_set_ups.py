"""The whole story on each way to run Redis (R5, R8): a unix socket and Sentinel; Cluster has a file of its own."""

import asyncio

import pytest

from tests.real.redis.conftest import MakeWorld, back, in_use, is_kept, promised
from tests.real.redis.servers import Servers, until
from tests.real.redis.stories import the_limit_of_sessions, the_story
from tests.real.redis.watched_pair import WatchedPair, is_master


async def test_the_story_on_a_unix_socket(servers: Servers, make_world: MakeWorld) -> None:
    one = servers.one({"unixsocket": "here.sock", "unixsocketperm": "700"})

    await the_story(await make_world(REDIS_URL=f"unix://:{one.password}@{one.folder}/here.sock?db=3"))

    assert one.info("keyspace").keys() == {"db3"}


@pytest.fixture
def pair(servers: Servers) -> WatchedPair:
    return WatchedPair(servers)


async def test_R5_sessions_survive_a_failover_and_writes_are_back_soon(
    pair: WatchedPair, make_world: MakeWorld
) -> None:
    world = await make_world(REDIS_URL=pair.url, REDIS_WAIT_REPLICAS="1", MAX_SESSIONS_PER_PERSON="2")
    await the_story(world)
    await the_limit_of_sessions(world)
    world.forward(1)
    ada = await world.confirmed()
    cookie = ada.cookie()

    async with in_use(ada) as looks, pair.failing_over():
        for city in ("Turin", "Rome"):
            saved = await back(lambda city=city: ada.call("PATCH", "/api/profile", {"city": city}))  # type: ignore[misc]
            assert (saved.status, saved.body["city"]) == (200, city)
        await looks.more()

    assert pair.promoted()
    assert set(looks.seen) <= {200, 503}, "nobody is signed out"
    assert looks.seen[0] == looks.seen[-1] == 200
    await is_kept(ada, cookie)
    fresh = await world.front_end()
    assert await fresh.sign_in() == "/edit", "and new people come in"


async def test_R5_a_master_that_only_falls_silent_is_left_as_well(
    pair: WatchedPair, make_world: MakeWorld
) -> None:
    world = await make_world(REDIS_URL=pair.url)
    ada = await world.confirmed()
    cookie = ada.cookie()

    async with pair.failing_over(silent=True):
        assert (await back(lambda: ada.call("GET", "/api/profile"))).status == 200
        assert (await back(lambda: ada.call("PATCH", "/api/profile", {"city": "Turin"}))).status == 200
        await is_kept(ada, cookie)

    # Back again, the old master becomes a replica; whoever still talks to it is told READONLY, and goes on.
    pair.master.thaw()
    demoted = asyncio.create_task(
        asyncio.to_thread(until, lambda: not is_master(pair.master), pair.master.log)
    )
    saves = 0
    while not demoted.done() or saves < 10:
        assert (await back(lambda: ada.call("PATCH", "/api/profile", {"city": "Rome"}))).status == 200
        saves += 1
    await demoted


async def test_R5_a_sign_out_that_a_failover_could_undo_is_not_told_as_done(
    pair: WatchedPair, make_world: MakeWorld
) -> None:
    world = await make_world(REDIS_URL=pair.url, REDIS_WAIT_REPLICAS="1")
    ada = await world.signed_in()
    cookie = ada.cookie()
    pair.cut_replication()

    for _ in range(2):
        answer = await promised(ada.call("POST", "/auth/sign-out"))
        assert (answer.status, answer.slug, answer.body["confirmed"]) == (
            503,
            "session-store-unavailable",
            False,
        )
        assert ada.cookie() == cookie, "the cookie is kept, to ask again with"

    async with pair.failing_over(noticed_after_ms=1000):
        alive = await back(lambda: ada.call("GET", "/api/session/claims"))
    assert alive.status == 200, "the failover undid it: that is why it was not confirmed"

    pair.swap_roles()
    done = await back(lambda: ada.call("POST", "/auth/sign-out"))
    assert done.status == 200
    assert not ada.cookie()
    late = await ada.call("GET", "/api/profile", headers={"Cookie": f"__Host-Http-session={cookie}"})
    assert (late.status, late.body["reason"]) == (401, "signed-out")


async def test_R5_a_confirmed_sign_out_survives_a_failover(pair: WatchedPair, make_world: MakeWorld) -> None:
    world = await make_world(REDIS_URL=pair.url, REDIS_WAIT_REPLICAS="1")
    ada = await world.signed_in()
    cookie = ada.cookie()

    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    async with pair.failing_over():
        late = await back(
            lambda: ada.call("GET", "/api/profile", headers={"Cookie": f"__Host-Http-session={cookie}"})
        )
    assert (late.status, late.body["reason"]) == (401, "signed-out")
