"""Redis that fails in every way we know of (R1 to R4, R6, R7): nobody is signed out, every answer comes soon."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.real.redis.conftest import (
    SIGN_IN,
    STEP_UP,
    UNAVAILABLE,
    MakeWorld,
    back,
    in_use,
    is_kept,
    promised,
    refused_honestly,
    sent_to_problem,
)
from tests.real.redis.servers import RedisServer, Servers, until
from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.world import World


@pytest.fixture
async def proxy(one: RedisServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy.before("127.0.0.1", one.port) as proxy:
        yield proxy


@pytest.fixture
async def world(make_world: MakeWorld, one: RedisServer, proxy: FaultProxy) -> World:
    return await make_world(REDIS_URL=one.by_way_of(proxy.port))


async def test_R1_a_gateway_starts_without_redis_and_uses_it_when_it_comes(
    make_world: MakeWorld, one: RedisServer
) -> None:
    one.kill()
    world = await make_world(REDIS_URL=one.url)
    ada = await world.front_end()
    assert (await promised(ada.navigate("/health/live"))).status == 200
    await refused_honestly(ada.navigate("/health/ready"))
    assert (await promised(ada.navigate("/"))).status == 200

    one.start()

    assert (await back(lambda: ada.navigate("/health/ready"))).status == 200
    assert await ada.sign_in() == "/edit"


@pytest.mark.parametrize(
    "faults",
    [
        Faults(refuse=True),
        Faults(silent=True),
        Faults(delay=5),
        Faults(cut_after=0),
        Faults(swallow_after=3),
        Faults(bytes_per_second=2),
    ],
    ids=["refuses", "silent", "slow by 5 s", "cuts at once", "swallows", "trickles"],
)
async def test_R2_no_fault_signs_anybody_out_and_every_answer_comes_soon(
    world: World, proxy: FaultProxy, faults: Faults
) -> None:
    ada = await world.confirmed()
    cookie = ada.cookie()

    proxy.faults = faults
    if faults.refuse:
        proxy.reset_all()
    await asyncio.gather(
        refused_honestly(ada.call("GET", "/api/profile")),
        refused_honestly(ada.call("GET", "/api/session")),
        refused_honestly(ada.call("PATCH", "/api/profile", {"city": "Oslo"})),
        refused_honestly(ada.call("POST", "/auth/sign-out")),
        sent_to_problem(ada.navigate(SIGN_IN), UNAVAILABLE),
        sent_to_problem(ada.navigate(STEP_UP), UNAVAILABLE),
        refused_honestly(ada.navigate("/health/ready")),
        refused_honestly(ada.navigate("/auth/frontchannel-logout?sid=anything")),
        is_kept(ada, cookie),
    )

    proxy.heal()
    assert (await back(lambda: ada.call("GET", "/api/profile"))).body["city"] == "London"
    saved = await back(lambda: ada.call("PATCH", "/api/profile", {"city": "Oslo"}))
    assert (saved.status, saved.body["city"]) == (200, "Oslo"), "and the confirmation counts still"
    assert ada.cookie() == cookie


async def test_R3_during_an_outage_most_requests_do_not_wait_for_redis_at_all(
    world: World, proxy: FaultProxy
) -> None:
    ada = await world.signed_in()
    proxy.faults = Faults(silent=True)
    for _ in range(3):
        await asyncio.gather(*(refused_honestly(ada.call("GET", "/api/profile")) for _ in range(4)))

    connections = proxy.connections
    for _ in range(10):
        await asyncio.gather(*(refused_honestly(ada.call("GET", "/api/profile")) for _ in range(10)))

    assert proxy.connections - connections <= 2, (
        "one request a second finds out, the others are answered at once"
    )


async def test_R3_a_redis_that_is_50_ms_slow_is_no_outage(world: World, proxy: FaultProxy) -> None:
    proxy.faults = Faults(delay=0.05)

    ada = await world.confirmed()

    assert (await promised(ada.call("PATCH", "/api/profile", {"city": "Oslo"}))).status == 200
    assert (await promised(ada.call("POST", "/auth/sign-out"))).status == 200


async def test_R3_a_redis_that_is_half_a_second_slow_keeps_no_request_longer_than_promised(
    world: World, proxy: FaultProxy
) -> None:
    ada = await world.signed_in()
    cookie = ada.cookie()
    proxy.faults = Faults(delay=0.45)

    paths = ("/api/profile", "/api/sessions", "/api/session")
    answers = await asyncio.gather(*(promised(ada.call("GET", path)) for path in paths))
    assert {answer.status for answer in answers} <= {200, 503}

    proxy.heal()
    assert (await back(lambda: ada.call("GET", "/api/profile"))).status == 200
    await is_kept(ada, cookie)


async def test_R2_an_answer_that_is_cut_anywhere_is_never_half_believed(
    world: World, proxy: FaultProxy
) -> None:
    ada = await world.confirmed()
    cookie = ada.cookie()

    for after in (0, 1, 3, 5, 40, 700, 1500, 2500):
        proxy.faults = Faults(cut_after=after)
        answer = await promised(ada.call("GET", "/api/profile"))
        assert answer.status in {200, 503}, answer.text
        proxy.heal()
        assert (await back(lambda: ada.call("GET", "/api/profile"))).status == 200
    await is_kept(ada, cookie)


async def test_R4_with_aof_sessions_survive_the_death_of_redis_under_use(
    servers: Servers, make_world: MakeWorld
) -> None:
    one = servers.one({"appendonly": "yes", "appendfsync": "everysec"})
    world = await make_world(REDIS_URL=one.url)
    ada = await world.confirmed()
    cookie = ada.cookie()
    until(one.is_written, one.log)

    async with in_use(ada) as looks:
        one.kill()
        await looks.until(503)
        one.start()
        assert (await back(lambda: ada.call("PATCH", "/api/profile", {"city": "Oslo"}))).status == 200
        await looks.until(200)

    assert set(looks.seen) == {200, 503}
    await is_kept(ada, cookie)


async def test_R4_without_persistence_everybody_gets_one_clean_sign_in(
    make_world: MakeWorld, one: RedisServer
) -> None:
    world = await make_world(REDIS_URL=one.url)
    ada = await world.confirmed()

    one.kill()
    one.start()

    lost = await back(lambda: ada.call("GET", "/api/profile"))
    assert (lost.status, lost.slug, lost.body["redirect"]) == (401, "sign-in-required", "/auth/sign-in")
    assert await ada.sign_in() == "/edit"
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_R6_flushed_at_each_step_there_is_one_clean_way_on(
    make_world: MakeWorld, one: RedisServer
) -> None:
    world = await make_world(REDIS_URL=one.url)

    def flush() -> None:
        one.ask("FLUSHALL")

    ada = await world.front_end()
    page = await ada.leave(SIGN_IN)
    page = await ada.visitor.submit(page, email=ADA[0], password=ADA[1])
    flush()
    assert (await ada.come_back(page)).startswith("/problem?type=sign-in-expired"), "start again"

    await _again(ada)
    flush()
    await sent_to_problem(ada.navigate(STEP_UP), "sign-in-required")
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is False

    await _again(ada)
    page = await ada.leave(STEP_UP)
    flush()
    page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
    assert (await ada.come_back(page)).startswith("/problem?type=sign-in-expired")

    ada = await world.signed_in()
    refused = await ada.call("PATCH", "/api/profile", {"city": "Oslo"})
    flush()
    await sent_to_problem(ada.navigate(f"{refused.body['redirect']}&return_to=/check"), "sign-in-required")
    late = await ada.call("POST", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
    assert (late.status, late.slug) == (401, "sign-in-required")

    await _again(ada)
    flush()
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    assert not ada.cookie()
    assert (await world.admin("GET", f"/people/{ADA[0]}/profile"))["city"] == "London"


async def _again(person: OtherFrontEnd) -> None:
    """Sign in with the same browser: one redirect is enough."""
    assert await person.sign_in() == "/edit"
    assert (await person.call("GET", "/api/profile")).status == 200
