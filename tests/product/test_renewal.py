"""When an access token is renewed: in the last part of its own life, beside its use, once for all processes (W1)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.tokens.refresh import BESIDE_SECONDS
from tests.product.test_tokens import READ, broker_of, end_of_token, live
from tests.stage.http_wire import token_request
from tests.stage.network import WRITES, Network
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.redis_wire import NOT_NOW
from tests.stage.stored import stored_token
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
REFRESH = "token.refresh_token"
LIVES = [1, 10, 60, 300, 3600, 86_400]


async def with_tokens_that_live(world: World, seconds: int) -> OtherFrontEnd:
    """Sign Ada in, and let every token live so long; at a whole second, which is what tokens are dated by."""
    world.clock.now = world.tenant_clock.now = float(int(world.clock.now))
    await world.admin("PUT", "/settings", {"access_token_seconds": seconds})
    return await world.signed_in()


async def reads(world: World, person: OtherFrontEnd, times: int = 1) -> None:
    """Read the profile, and let what that began end."""
    for _ in range(times):
        answer = await person.call("GET", "/api/profile")
        assert answer.status == 200, answer.text
    await broker_of(world).settle(5)


@pytest.mark.parametrize("life", LIVES)
async def test_W1_a_token_in_the_first_four_fifths_of_its_life_costs_no_request(
    make_world: MakeWorld, life: int
) -> None:
    world = await make_world(SESSION_IDLE_SECONDS="86400", SESSION_ABSOLUTE_SECONDS="604800")
    ada = await with_tokens_that_live(world, life)

    for _ in range(5):
        await reads(world, ada, times=2)
        world.forward(life * 0.15)

    assert await world.asked(REFRESH) == 0


@pytest.mark.parametrize("life", LIVES)
async def test_W1_in_the_last_part_of_its_life_it_is_renewed_once_beside_its_use(
    make_world: MakeWorld, life: int
) -> None:
    world = await make_world(SESSION_IDLE_SECONDS="86400", SESSION_ABSOLUTE_SECONDS="604800")
    ada = await with_tokens_that_live(world, life)
    before = await stored_token(await live(world, ada), READ)
    assert before is not None
    assert before.renew_at is not None

    world.forward(before.renew_at + 0.01 - world.clock.now)
    await reads(world, ada, times=3)

    after = await stored_token(await live(world, ada), READ)
    assert after is not None
    assert (after.value != before.value, await world.asked(REFRESH)) == (True, 1)
    world.forward(life * 0.75 if life > 1 else 0.05)  # the tenant dates tokens by whole seconds
    await reads(world, ada, times=3)
    assert await world.asked(REFRESH) == 1, "the new token lives as long"


async def test_W1_calls_all_day_long_cost_a_request_for_each_life(world: World) -> None:
    ada = await with_tokens_that_live(world, 300)  # Keycloak's default

    for _ in range(120):
        await reads(world, ada)
        world.forward(10)

    assert 3 <= await world.asked(REFRESH) <= 5, "1200 s are four lives"


@pytest.mark.parametrize("life", [60, 300, 3600])
async def test_W1_nobody_waits_for_a_renewal_while_the_token_lives(
    make_world: MakeWorld, network: Network, life: int
) -> None:
    world = await make_world(network=network, SESSION_IDLE_SECONDS="7200")
    ada = await with_tokens_that_live(world, life)
    world.forward(life - 2.5)
    held = network.authority.hold(token_request("refresh_token"))

    for _ in range(3):
        assert (await asyncio.wait_for(ada.call("GET", "/api/profile"), 5)).status == 200
    await held.reached()
    held.release()
    await broker_of(world).settle(5)

    assert await world.asked(REFRESH) == 1


async def test_W1_requests_of_several_processes_start_one_renewal(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    ada = await with_tokens_that_live(world, 300)
    others = [await world.new_gateway(PORT="1") for _ in range(2)]
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    world.forward(290)
    held = network.authority.hold(token_request("refresh_token"))

    await asyncio.wait_for(ada.call("GET", "/api/profile"), 5)
    await held.reached()
    for other in others:
        elsewhere = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)
        for answer in await asyncio.gather(
            *(elsewhere.call("GET", "/api/profile", headers=old) for _ in range(10))
        ):
            assert answer.status == 200
        await broker_of(other).settle(5)  # it left the renewal to the first
    held.release()
    await broker_of(world).settle(5)

    assert await world.asked(REFRESH) == 1


@pytest.mark.parametrize("life", [1, 10, 60, 300, 3600])
async def test_W1_R11_a_burst_when_a_token_has_ended_costs_one_request(world: World, life: int) -> None:
    ada = await with_tokens_that_live(world, life)
    other = await world.new_gateway(PORT="1")
    elsewhere = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    world.forward(min(life, 1700))
    if life > 1700:
        await end_of_token(world, ada, 0)

    answers = await asyncio.gather(
        *(ada.call("GET", "/api/profile") for _ in range(20)),
        *(elsewhere.call("GET", "/api/profile", headers=old) for _ in range(20)),
    )

    assert [answer.status for answer in answers] == [200] * 40
    assert await world.asked(REFRESH) == 1


async def test_W1_who_has_no_token_any_more_waits_for_the_renewal_that_is_under_way(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    ada = await with_tokens_that_live(world, 300)
    world.forward(290)
    held = network.authority.hold(token_request("refresh_token"))
    assert (await ada.call("GET", "/api/profile")).status == 200
    await held.reached()
    world.forward(11)

    waiting = [asyncio.create_task(ada.call("GET", "/api/profile")) for _ in range(5)]
    await asyncio.wait(waiting, timeout=0.3)
    assert not any(task.done() for task in waiting)
    held.release()

    assert [(await task).status for task in waiting] == [200] * 5
    assert await world.asked(REFRESH) == 1


REFUSALS: list[dict[str, object]] = [
    {"status": 503},
    {"status": 429, "retry_after": 7},
    {"status": 200, "body": "html"},
    {"body": "reset"},
    {"aadsts": 700082},
    {"aadsts": 50173},
    {"aadsts": 50076},
    {"aadsts": 53003},
    {"aadsts": 7000215},
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
async def test_W1_a_renewal_that_fails_beside_use_is_nothing_to_anybody_and_not_asked_again_at_once(
    world: World, refusal: dict[str, object]
) -> None:
    ada = await with_tokens_that_live(world, 3600)
    other = await world.new_gateway(PORT="1")
    elsewhere = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    await end_of_token(world, ada, 200)
    await world.admin("PUT", f"/faults/{REFRESH}", {**refusal, "times": 1})

    await reads(world, ada, times=5)
    for _ in range(5):
        assert (await elsewhere.call("GET", "/api/profile", headers=old)).status == 200
    await broker_of(other).settle(5)

    assert await world.asked(REFRESH) == 1, "by neither process"
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
    world.forward(BESIDE_SECONDS + 1)
    await reads(world, ada)
    assert await world.asked(REFRESH) == 2
    assert await stored_token(await live(world, ada), READ) is not None


async def test_W1_what_failed_beside_use_binds_nobody_whose_token_has_ended(world: World) -> None:
    ada = await with_tokens_that_live(world, 60)
    world.forward(57)
    await world.admin("PUT", f"/faults/{REFRESH}", {"status": 503, "times": 1})
    await reads(world, ada)

    world.forward(4)

    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked(REFRESH) == 2


async def test_W1_a_grant_that_died_ends_the_session_when_the_token_has_ended(world: World) -> None:
    ada = await with_tokens_that_live(world, 300)
    await world.admin("POST", f"/people/{ADA[0]}/revoke")
    world.forward(280)
    await reads(world, ada, times=2)
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True

    world.forward(20)

    for _ in range(2):
        answer = await ada.call("GET", "/api/profile")
        assert (answer.status, answer.body["reason"]) == (401, "revoked")
        assert (await ada.call("GET", "/api/session")).body["authenticated"] is False


async def test_W1_a_store_that_takes_no_write_costs_no_request_for_every_call(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    ada = await with_tokens_that_live(world, 3600)
    await end_of_token(world, ada, 200)
    network.redis.refuse(WRITES, NOT_NOW, times=None)

    for _ in range(5):
        await reads(world, ada)

    assert await world.asked(REFRESH) == 1


async def test_W1_R12_a_gateway_that_stops_first_keeps_what_it_renewed_beside_use(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": True})
    ada = await with_tokens_that_live(world, 300)
    world.forward(290)
    held = network.authority.hold(token_request("refresh_token"), answered=True)
    assert (await ada.call("GET", "/api/profile")).status == 200
    await held.reached()

    stopping = asyncio.ensure_future(world.stop())
    await asyncio.wait([stopping], timeout=0.5)
    assert not stopping.done(), "it waits for the answer"
    held.release()
    await stopping

    later = await world.new_gateway()
    assert later.gateway_url == world.gateway_url
    world.forward(20)
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked(REFRESH) == 1
