"""L13: a step-up throws no living token away, so what comes right after it needs neither the authority nor memory."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.product.test_step_up_for_reading import challenged
from tests.product.test_tokens import end_of_token
from tests.stage.network import WRITES, Network
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]

STEP_UP: Final = "/auth/step-up?action=profile.edit&return_to=/edit"
FULL: Final = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
GONE: Final[dict[str, dict[str, Any]]] = {
    "500": {"status": 500},
    "HTML": {"status": 502, "body": "html"},
    "cut": {"body": "reset"},
    "silent": {"delay_ms": 60_000},
    "429": {"status": 429, "retry_after": 60},
}


@pytest.fixture
async def world(make_world: MakeWorld, network: Network) -> World:
    """Give a world whose gateway goes through the network."""
    return await make_world(network=network)


async def take_away(world: World, network: Network, fault: dict[str, Any]) -> None:
    """Let the token endpoint fail for every grant, and Redis take no write any more."""
    for grant in ("authorization_code", "refresh_token", "on_behalf_of"):
        await world.admin("PUT", f"/faults/token.{grant}", fault)
    network.redis.refuse(WRITES, FULL, times=None)


@pytest.mark.parametrize("fault", GONE.values(), ids=GONE)
async def test_L13_after_a_step_up_reading_needs_neither_the_token_endpoint_nor_memory_of_redis(
    world: World, network: Network, fault: dict[str, Any]
) -> None:
    ada = await world.signed_in()
    assert await ada.step_up(STEP_UP) == "/edit"
    await take_away(world, network, fault)

    read = [await ada.call("GET", "/api/profile") for _ in range(3)]

    assert [answer.status for answer in read] == [200] * 3
    assert await world.asked("token.refresh_token") == 0
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}


async def by_a_parked_edit(world: World, ada: OtherFrontEnd) -> None:
    """Step up for an edit that was refused."""
    refused = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    await ada.step_up(f"{refused.body['redirect']}&return_to=/check")
    assert await world.asked("token.refresh_token") == 1, "the one that was refused"


async def twice(_: World, ada: OtherFrontEnd) -> None:
    """Step up again where it was done already."""
    await ada.step_up(STEP_UP)
    await ada.step_up(STEP_UP)


async def for_reading(world: World, ada: OtherFrontEnd) -> None:
    """Step up because Graph asked for claims: the token of before is refused, and replaced by the one that comes."""
    refused = await challenged(world, ada)
    await ada.step_up(f"{refused.body['redirect']}&return_to=/edit")


@pytest.mark.parametrize("way", [by_a_parked_edit, twice, for_reading])
@pytest.mark.parametrize("rotates", [False, True], ids=["Entra", "strict rotation"])
async def test_L13_whatever_the_step_up_was_for_and_whoever_rotates(
    world: World,
    network: Network,
    way: Callable[[World, OtherFrontEnd], Awaitable[None]],
    *,
    rotates: bool,
) -> None:
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": rotates})
    ada = await world.signed_in()
    await way(world, ada)
    refreshes = await world.asked("token.refresh_token")
    await take_away(world, network, {"status": 500})

    read = await ada.call("GET", "/api/profile")

    assert (read.status, read.body["city"]) == (200, "London")
    assert await world.asked("token.refresh_token") == refreshes


async def test_L13_an_edit_goes_through_too_where_the_api_has_its_token(
    world: World, network: Network
) -> None:
    ada = await world.confirmed()
    assert (await ada.call("PATCH", "/api/profile", {"city": "Turin"})).status == 200
    await ada.step_up(STEP_UP)
    network.redis.refuse(WRITES, FULL, times=None)
    await world.admin("PUT", "/faults/token.refresh_token", {"status": 500})

    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body["city"] == "Rome"


async def test_L13_a_token_that_has_ended_is_an_outage_then_and_no_sign_out(
    world: World, network: Network
) -> None:
    ada = await world.confirmed()
    await end_of_token(world, ada, 0)
    await take_away(world, network, {"status": 500})

    read = await ada.call("GET", "/api/profile")

    assert (read.status, read.slug) == (503, "authority-unavailable")
    network.redis.heal()
    await world.admin("DELETE", "/faults")
    world.forward(61)
    assert (await ada.call("GET", "/api/profile")).status == 200
