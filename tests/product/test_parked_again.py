"""L14: an edit that waits for its person keeps its id, whatever it meets, and is lost by no answer that is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from gateway.proxy.parked_requests import PARKED_SECONDS
from tests.product.test_lost_answers import StandIn, challenge, parked, stand_in
from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.network import WRITES, Network
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.redis_wire import NOT_NOW
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def api() -> AsyncIterator[StandIn]:
    """Give an API that answers as told."""
    async with stand_in() as running:
        yield running


@pytest.fixture
async def world(make_world: MakeWorld, api: StandIn) -> World:
    """Give a world with that API."""
    return await make_world(RESOURCE_API_URL=api.url)


@pytest.fixture
async def ada(world: World) -> OtherFrontEnd:
    """Give Ada, signed in."""
    return await world.signed_in()


async def test_L14_a_parked_edit_that_meets_step_up_once_more_keeps_its_id(
    world: World, ada: OtherFrontEnd, api: StandIn
) -> None:
    path = await parked(ada, api)
    before = (await ada.call("GET", path)).body
    world.forward(PARKED_SECONDS - 10)
    challenge(api)

    again = await ada.call("POST", path)

    assert again.slug == "step-up-required"
    assert f"/api/parked-edits/{again.body['parked_edit']['id']}" == path
    world.forward(20)
    kept = await ada.call("GET", path)
    assert kept.body["changes"] == before["changes"]
    assert kept.body["expires_at"] == again.body["parked_edit"]["expires_at"], (
        "ten minutes from the last answer"
    )
    api.say(city="Turin")
    await ada.step_up(f"{again.body['redirect']}&return_to=/check")
    assert ((await ada.call("POST", path)).status, (await ada.call("POST", path)).status) == (200, 404)


@pytest.mark.parametrize("times", [1, 2])
async def test_L14_an_answer_that_is_lost_leaves_the_edit_under_the_id_that_the_client_knows(
    world: World, ada: OtherFrontEnd, api: StandIn, times: int
) -> None:
    path = await parked(ada, api)
    challenge(api)
    async with FaultProxy.before("localhost", int(world.gateway_url.rpartition(":")[2])) as way:
        way.faults = Faults(cut_after=0)
        for _ in range(times):
            with pytest.raises(aiohttp.ClientError):
                await ada.session.post(
                    f"http://localhost:{way.port}{path}",
                    headers={
                        "X-CSRF": "1",
                        "Host": world.gateway_url.removeprefix("http://"),
                        "Cookie": f"__Host-Http-session={ada.cookie()}",
                    },
                )
    assert api.asked == times, "the API was asked each time, and challenged"

    api.say(city="Turin")

    assert (await ada.call("POST", path)).body["city"] == "Turin"
    assert (await ada.call("GET", path)).status == 404


async def test_L14_confirmations_at_once_that_meet_step_up_leave_one_edit(
    ada: OtherFrontEnd, api: StandIn
) -> None:
    path = await parked(ada, api)
    challenge(api)

    answers = await asyncio.gather(*(ada.call("POST", path) for _ in range(3)))

    assert {f"/api/parked-edits/{answer.body['parked_edit']['id']}" for answer in answers} == {path}
    assert len({answer.body["redirect"] for answer in answers}) == 3, "each can be met"
    api.say(city="Turin")
    await ada.step_up(f"{answers[0].body['redirect']}&return_to=/check")
    saved = await asyncio.gather(*(ada.call("POST", path) for _ in range(3)))
    assert sorted(answer.status for answer in saved) == [200, 404, 404]


async def test_L14_a_step_up_in_another_tab_changes_no_id(ada: OtherFrontEnd, api: StandIn) -> None:
    path = await parked(ada, api)
    challenge(api)
    again = await ada.call("POST", path)
    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
    api.say(city="Turin")

    assert again.slug == "step-up-required"
    assert (await ada.call("POST", path)).body["city"] == "Turin"


async def test_L14_after_the_last_step_up_in_vain_the_edit_waits_on(make_world: MakeWorld) -> None:
    world = await make_world()
    ada = await world.signed_in()
    refused = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    path = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
    for _ in range(3):
        await ada.step_up(f"{refused.body['redirect']}&return_to=/check")
        await world.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "times": 1})
        refused = await ada.call("POST", path)
        world.forward(15)

    assert (refused.status, refused.slug) == (429, "step-up-loop")
    assert (await ada.call("GET", path)).body["changes"] == [
        {"field": "city", "from": "London", "to": "Turin"}
    ]


async def test_L14_a_redis_that_takes_no_write_costs_no_parked_edit(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    ada = await world.signed_in()
    refused = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    path = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
    await ada.step_up(f"{refused.body['redirect']}&return_to=/check")
    await world.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "times": 1})
    network.redis.refuse(WRITES, NOT_NOW, times=None)

    again = await ada.call("POST", path)
    network.redis.heal()

    assert (again.status, again.slug) == (503, "session-store-unavailable")
    assert (await ada.call("POST", path)).body["city"] == "Turin"


@pytest.mark.parametrize("meets", ["a saved edit", "step-up once more"])
async def test_L14_an_edit_that_is_being_confirmed_while_another_tab_steps_up_is_not_lost(
    world: World, ada: OtherFrontEnd, api: StandIn, meets: str
) -> None:
    path = await parked(ada, api)
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    if meets == "a saved edit":
        api.say(city="Turin")
    else:
        challenge(api)
    api.waits = asyncio.Event()
    async with aiohttp.ClientSession() as browser:
        tab = OtherFrontEnd(browser, world.gateway_url, world.tenant_url)
        confirming = asyncio.create_task(tab.call("POST", path, headers=old))
        await api.reached.wait()
        await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
        api.waits.set()
        met = await confirming

    if meets == "a saved edit":
        assert met.status == 200
        assert (await ada.call("GET", path)).slug == "not-found", "it went along, and is done with"
    else:
        assert (met.slug, met.body["reason"]) == ("sign-in-required", "rotated"), (
            "the client asks again by itself"
        )
        api.say(city="Turin")
        assert (await ada.call("POST", path)).body["city"] == "Turin"
    assert (await ada.call("POST", path)).status == 404


@pytest.mark.parametrize("step_ups", [1, 2])
async def test_L14_an_edit_that_was_saved_waits_under_no_later_id(
    world: World, ada: OtherFrontEnd, api: StandIn, step_ups: int
) -> None:
    other = (await ada.call("PATCH", "/api/profile", {"surname": "King"})).body["parked_edit"]["id"]
    path = await parked(ada, api)
    old = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    api.say(city="Turin")
    api.waits = asyncio.Event()
    async with aiohttp.ClientSession() as browser:
        tab = OtherFrontEnd(browser, world.gateway_url, world.tenant_url)
        confirming = asyncio.create_task(tab.call("POST", path, headers=old))
        await api.reached.wait()
        for _ in range(step_ups):
            await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
        api.waits.set()
        assert (await confirming).status == 200

    assert (await ada.call("GET", path)).slug == "not-found"
    kept = await ada.call("GET", f"/api/parked-edits/{other}")
    assert kept.body["changes"] == [{"field": "surname", "from": "Lovelace", "to": "King"}], (
        "which nobody confirmed"
    )
