"""R12: what was redeemed is not lost to a handler that fails, a person who leaves, a rival."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from gateway.store.scripts import CREATE
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import REFUSAL_SECONDS
from tests.product.test_tokens import READ, broker_of, end_of_token, live, vault_of
from tests.stage.http_wire import token_request
from tests.stage.invariants import violations
from tests.stage.network import Network
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.redis_wire import runs
from tests.stage.stored import stored_token
from tests.stage.tenant import EDIT
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
REFRESH = token_request("refresh_token")


@pytest.fixture
async def world(make_world: MakeWorld, network: Network) -> World:
    """Give a world whose gateway goes through the network."""
    return await make_world(network=network)


async def strict(world: World) -> None:
    """Let a refresh token work once, and its second use end everything that came of it."""
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": True})


async def assert_clean(world: World, person: OtherFrontEnd) -> None:
    """Assert that the store is as it must be."""
    assert await violations(world.redis, vault_of(world), filter(None, [person.cookie()])) == []


async def test_R12_a_handler_that_fails_after_the_refresh_loses_nothing(world: World) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("PUT", "/faults/graph.get_me", {"status": 500, "times": 9})

    assert (await ada.call("GET", "/api/profile")).status == 502

    await world.admin("DELETE", "/faults")
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked("token.refresh_token") == 1


async def test_R12_a_person_who_leaves_meanwhile_loses_nothing(world: World, network: Network) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await strict(world)
    held = network.authority.hold(REFRESH, answered=True)

    reading = asyncio.create_task(ada.call("GET", "/api/profile"))
    await held.reached()
    reading.cancel()
    await asyncio.wait([reading])
    await ada.navigate("/health/live")  # the gateway knows by then that she left
    held.release()

    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked("token.refresh_token") == 1
    await assert_clean(world, ada)


async def test_R12_a_gateway_that_stops_first_keeps_what_it_redeemed(world: World, network: Network) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await strict(world)
    held = network.authority.hold(REFRESH, answered=True)
    session, broker = await live(world, ada), broker_of(world)
    impatient = asyncio.create_task(broker.access_token(session, READ))
    await held.reached()
    impatient.cancel()

    settling = asyncio.create_task(broker.settle(5))
    await asyncio.wait([impatient])
    assert impatient.cancelled()
    assert not settling.done()
    held.release()
    await settling

    assert await stored_token(session, READ) is not None
    assert await world.asked("token.refresh_token") == 1


async def test_R12_keys_that_are_away_do_not_cost_the_refresh_token(world: World) -> None:
    await strict(world)
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("POST", "/keys/sign-with-unpublished")

    unjudged = await ada.call("GET", "/api/profile")

    assert (unjudged.status, unjudged.slug) == (503, "authority-unavailable")
    await world.admin("POST", "/keys/rotate", {})
    world.forward(REFUSAL_SECONDS + 1)
    assert (await ada.call("GET", "/api/profile")).status == 200
    await assert_clean(world, ada)


async def test_R11_a_failed_holder_uses_what_its_successor_brought(world: World, network: Network) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    successor = await world.new_gateway(LOG_LEVEL="INFO")
    session = await live(world, ada)
    await world.admin("PUT", "/faults/token.refresh_token", {"aadsts": 700082, "times": 1})
    held = network.authority.hold(REFRESH, answered=True)

    first = asyncio.create_task(broker_of(world).access_token(session, READ))
    await held.reached()
    async for key in world.redis.scan_iter("*:lock:refresh"):
        await world.redis.delete(key)  # as if the holder had been stopped for longer than its lease
    brought = await broker_of(successor).access_token(session, READ)
    held.release()

    assert (await first).expires_at > world.clock.now + 1800
    assert brought.expires_at > world.clock.now + 1800
    assert (await ada.call("GET", "/api/profile")).status == 200, "nobody was signed out"
    await assert_clean(world, ada)


async def test_a_token_that_was_refused_is_not_handed_out_again(world: World) -> None:
    ada = await world.confirmed()
    session, broker, edit = await live(world, ada), broker_of(world), Resource("edit", EDIT)
    refused = await broker.access_token(session, edit)

    await broker.forget_token(session, edit)

    assert (await broker.access_token(session, edit)).value != refused.value
    assert await world.asked("token.refresh_token") == 1


async def test_R13_an_edit_that_another_tab_parks_during_step_up_is_carried_over(
    world: World, network: Network
) -> None:
    ada = await world.signed_in()
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    other = await world.new_gateway(LOG_LEVEL="INFO")
    tab = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)
    first = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body
    page = await ada.leave(f"{first['redirect']}&return_to=/check")
    page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
    held = network.redis.hold(runs(CREATE))

    arriving = asyncio.create_task(ada.come_back(page))
    await held.reached()
    second = await tab.call("PATCH", "/api/profile", {"surname": "King"}, headers=old)
    held.release()
    assert await arriving == "/check"

    assert second.slug == "step-up-required"
    for parked in (first, second.body):
        saved = await ada.call("POST", f"/api/parked-edits/{parked['parked_edit']['id']}")
        assert saved.status == 200, saved.text
    assert (saved.body["city"], saved.body["surname"]) == ("Rome", "King")


async def test_a_session_that_was_replaced_is_never_told_as_revoked(
    make_world: MakeWorld, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = await make_world()
    ada = await world.signed_in()
    session = await live(world, ada)
    await end_of_token(world, ada, 0)
    await world.admin("PUT", "/faults/token.refresh_token", {"aadsts": 700082, "times": 1})
    held = network.authority.hold(REFRESH, answered=True)
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    other = await world.new_gateway(network, LOG_LEVEL="INFO")
    tab = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)

    reading = asyncio.create_task(tab.call("GET", "/api/profile", headers=old))
    await held.reached()
    assert await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit") == "/edit"
    held.release()
    answer = await reading

    assert (answer.status, answer.body["reason"]) == (401, "rotated"), "so that the tab tries again"
    assert await vault_of(world).ends.reason(session.ref) == "rotated"
