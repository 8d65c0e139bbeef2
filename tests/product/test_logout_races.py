"""A session that is ended while it begins, or while its id changes, is ended (S15, S18, R13)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from gateway.app_keys import AUTH_FLOW
from tests.product.test_tokens import vault_of
from tests.stage.invariants import violations
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.visitor import Page
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


@dataclass(frozen=True)
class HalfWay:
    """A journey whose answer is on its way to us."""

    world: World
    person: OtherFrontEnd
    page: Page
    held: dict[str, str] = field(default_factory=dict)
    """The cookie of before, as another tab sends it."""


async def at_the_authority(journey: HalfWay) -> None:
    """The authority ends its session, and tells us by front channel."""
    path = f"/auth/frontchannel-logout?sid={journey.page.form.inputs['session_state']}"
    assert (await (await journey.world.front_end()).navigate(path)).status == 200


async def in_another_tab(journey: HalfWay) -> None:
    """The person signs out in another tab, which holds the old cookie."""
    assert (await journey.person.call("POST", "/auth/sign-out", headers=journey.held)).status == 200


def delay(world: World, point: str) -> None:
    """Let the callback be slow at one point."""
    world.app[AUTH_FLOW]._failpoints.arm(point, "delay", milliseconds=300, times=1)


async def is_over(world: World, person: OtherFrontEnd) -> None:
    """Assert that the browser is signed out, and that nothing of the session is left."""
    assert (await person.call("GET", "/api/session")).body["authenticated"] is False
    assert [
        key for key in await world.keys() if key.startswith("stepup:{") and not key.endswith(":ended")
    ] == []
    assert await violations(world.redis, vault_of(world)) == []


async def test_a_logout_that_meets_a_sign_in_half_way_wins(world: World) -> None:
    ada = await world.front_end()
    page = await ada.leave("/auth/sign-in?return_to=/edit")
    page = await ada.visitor.submit(page, email=ADA[0], password=ADA[1])
    delay(world, "redis-write")

    arriving = asyncio.create_task(ada.come_back(page))
    await asyncio.sleep(0.15)
    await at_the_authority(HalfWay(world, ada, page))

    assert (await arriving).startswith("/problem?type=sign-in-required")
    await is_over(world, ada)
    assert await ada.sign_in() == "/edit", "and the next sign-in is a new one"


@pytest.mark.parametrize("ending", [at_the_authority, in_another_tab])
@pytest.mark.parametrize("point", ["redis-write", "session-started"])
async def test_a_logout_that_meets_a_step_up_half_way_wins(
    world: World, point: str, ending: Callable[[HalfWay], Awaitable[None]]
) -> None:
    ada = await world.signed_in()
    held = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    page = await ada.leave(STEP_UP)
    page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
    delay(world, point)

    arriving = asyncio.create_task(ada.come_back(page))
    await asyncio.sleep(0.15)
    await ending(HalfWay(world, ada, page, held))
    await arriving

    await is_over(world, ada)
