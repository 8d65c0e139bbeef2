"""The authority's clock, ours and the resource API's are apart: within the leeway nobody notices (R21)."""

from collections.abc import Awaitable, Callable

import pytest

from tests.stage.tenant import API, GATEWAY
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
LEEWAY = 120


@pytest.mark.parametrize("ahead", [62, 90, LEEWAY - 2, -62, -90, 2 - LEEWAY])
async def test_L4_up_to_the_leeway_sign_in_step_up_and_the_edit_work(world: World, ahead: int) -> None:
    world.tenant_clock.now += ahead

    ada = await world.confirmed()

    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("PATCH", "/api/profile", {"city": "Ockham"})).body["city"] == "Ockham"


async def test_L4_the_leeway_of_both_services_is_a_setting(make_world: MakeWorld) -> None:
    seconds = {"CLOCK_LEEWAY_SECONDS": "300", "api_CLOCK_LEEWAY_SECONDS": "300"}
    world = await make_world(**seconds)
    world.tenant_clock.now += 290

    ada = await world.confirmed()
    assert (await ada.call("PATCH", "/api/profile", {"city": "Ockham"})).status == 200

    strict = await make_world(CLOCK_LEEWAY_SECONDS="0")
    strict.tenant_clock.now += 30
    assert (await (await strict.front_end()).sign_in()).startswith("/problem?type=")


@pytest.mark.parametrize("ahead", [LEEWAY - 2, 2 - LEEWAY])
async def test_L4_the_age_of_a_confirmation_is_judged_with_the_same_leeway(
    make_world: MakeWorld, ahead: int
) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="60", api_MAX_AGE_SECONDS="60")
    await world.admin("PUT", "/settings", {"optional_claims": {API: ["auth_time"], GATEWAY: ["auth_time"]}})
    world.tenant_clock.now += ahead

    ada = await world.confirmed()

    assert (await ada.call("PATCH", "/api/profile", {"city": "Ockham"})).status == 200
