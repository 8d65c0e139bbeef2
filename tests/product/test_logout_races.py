"""A session that is ended while it begins, or while its id changes, is ended (S15, S18, R13)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from gateway.store.scripts import CREATE
from tests.product.test_tokens import vault_of
from tests.stage.invariants import violations
from tests.stage.network import Network
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.redis_wire import runs
from tests.stage.visitor import Page
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


@dataclass(frozen=True)
class HalfWay:
    """A flow whose answer is on its way to us."""

    world: World
    person: OtherFrontEnd
    page: Page
    before: dict[str, str] = field(default_factory=dict)
    """The cookie of before, as another tab sends it."""


async def at_the_authority(flow: HalfWay) -> None:
    """The authority ends its session, and tells us by front channel."""
    path = f"/auth/frontchannel-logout?sid={flow.page.form.inputs['session_state']}"
    assert (await (await flow.world.front_end()).navigate(path)).status == 200


async def in_another_tab(flow: HalfWay) -> None:
    """The person signs out in another tab, which holds the old cookie."""
    assert (await flow.person.call("POST", "/auth/sign-out", headers=flow.before)).status == 200


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], network: Network) -> World:
    """Give a world whose gateway goes through the network."""
    return await make_world(network=network)


async def is_over(world: World, person: OtherFrontEnd) -> None:
    """Assert that the browser is signed out, and that nothing of the session is left."""
    assert (await person.call("GET", "/api/session")).body["authenticated"] is False
    assert [
        key for key in await world.keys() if key.startswith("stepup:{") and not key.endswith(":ended")
    ] == []
    assert await violations(world.redis, vault_of(world)) == []


async def test_a_logout_that_meets_a_sign_in_half_way_wins(world: World, network: Network) -> None:
    ada = await world.front_end()
    page = await ada.leave("/auth/sign-in?return_to=/edit")
    page = await ada.visitor.submit(page, email=ADA[0], password=ADA[1])
    held = network.redis.hold(runs(CREATE))

    arriving = asyncio.create_task(ada.come_back(page))
    await held.reached()
    await at_the_authority(HalfWay(world, ada, page))
    held.release()

    assert (await arriving).startswith("/problem?type=sign-in-required")
    await is_over(world, ada)
    assert await ada.sign_in() == "/edit", "and the next sign-in is a new one"


@pytest.mark.parametrize("ending", [at_the_authority, in_another_tab])
@pytest.mark.parametrize("answered", [False, True], ids=["about to be written", "written and not told"])
async def test_a_logout_that_meets_a_step_up_half_way_wins(
    world: World, network: Network, ending: Callable[[HalfWay], Awaitable[None]], *, answered: bool
) -> None:
    ada = await world.signed_in()
    before = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    page = await ada.leave(STEP_UP)
    page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
    held = network.redis.hold(runs(CREATE), answered=answered)

    arriving = asyncio.create_task(ada.come_back(page))
    await held.reached()
    await ending(HalfWay(world, ada, page, before))
    held.release()
    await arriving

    await is_over(world, ada)
