"""R12: a Redis that takes no write, or loses the connection at one, costs nobody what was redeemed or saved."""

from collections.abc import Awaitable, Callable

import pytest

from tests.product.test_redeemed_tokens import assert_clean, strict
from tests.product.test_tokens import end_of_token
from tests.stage.network import WRITES, Network
from tests.stage.redis_wire import NOT_NOW
from tests.stage.world import World

SAVE = {"city": "Rome"}


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], network: Network) -> World:
    """Give a world whose gateway goes through the network."""
    return await make_world(network=network)


@pytest.mark.parametrize(
    "times, requests", [(1, 1), (3, 1), (None, 3)], ids=["once", "three times", "always"]
)
async def test_R12_a_redis_that_takes_no_write_costs_nobody_an_answer(
    world: World, network: Network, times: int | None, requests: int, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    network.redis.refuse(WRITES, NOT_NOW, times=times)

    answers = [await ada.call("GET", "/api/profile") for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3, "from memory each time"
    assert await world.asked("token.refresh_token") == requests
    assert ("token-not-kept" in caplog.messages) == (times is None)
    network.redis.heal()
    assert (await ada.call("GET", "/api/profile")).status == 200, "and it recovers"
    refreshes = await world.asked("token.refresh_token")
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked("token.refresh_token") == refreshes
    await assert_clean(world, ada)


@pytest.mark.parametrize("times", [1, 3, None], ids=["once", "three times", "always"])
async def test_R12_under_strict_rotation_what_cannot_be_kept_is_a_clean_sign_in(
    world: World, network: Network, times: int | None
) -> None:
    await strict(world)
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    network.redis.refuse(WRITES, NOT_NOW, times=times)

    assert (await ada.call("GET", "/api/profile")).status == 200
    network.redis.heal()
    again = await ada.call("GET", "/api/profile")

    if times is None:
        assert (again.status, again.body["reason"]) == (401, "revoked")
        assert await ada.sign_in() == "/edit"
    assert (await ada.call("GET", "/api/profile")).status == 200
    await assert_clean(world, ada)


@pytest.mark.parametrize("times", [1, 3])
async def test_R12_a_redis_that_stumbles_costs_nobody_a_flow(
    world: World, network: Network, times: int
) -> None:
    ada = await world.front_end()

    network.redis.refuse(WRITES, NOT_NOW, times=times)
    assert await ada.sign_in() == "/edit"
    network.redis.refuse(WRITES, NOT_NOW, times=times)
    assert await ada.step_up("/auth/step-up?action=profile.edit&return_to=/check") == "/check"

    assert (await ada.call("PATCH", "/api/profile", SAVE)).status == 200
    assert await world.asked("token.authorization_code") == 2, "a code is redeemed once"
    await assert_clean(world, ada)


@pytest.mark.parametrize("happened", [False, True])
async def test_R12_a_connection_that_is_cut_at_a_write_costs_nobody_anything(
    world: World, network: Network, *, happened: bool
) -> None:
    await strict(world)
    cut = network.redis.lose_answer if happened else network.redis.cut
    ada = await world.front_end()

    at_sign_in = cut(WRITES)
    assert await ada.sign_in() == "/edit"
    at_step_up = cut(WRITES)
    assert await ada.step_up("/auth/step-up?action=profile.edit&return_to=/check") == "/check"
    await end_of_token(world, ada, 0)
    at_refresh = cut(WRITES)
    assert (await ada.call("GET", "/api/profile")).status == 200
    at_edit = cut(WRITES)
    saved = await ada.call("PATCH", "/api/profile", SAVE, headers={"Idempotency-Key": "k"})
    assert (saved.status, saved.body["city"]) == (200, "Rome")

    for one in (at_sign_in, at_step_up, at_refresh, at_edit):
        await one.reached()
    again = await ada.call("PATCH", "/api/profile", SAVE, headers={"Idempotency-Key": "k"})
    assert again.body == saved.body
    assert (await ada.call("GET", "/api/profile")).body["city"] == "Rome"
    assert await world.asked("token.authorization_code") == 2, "a code is redeemed once"
    assert await world.asked("token.refresh_token") == 1
    assert await world.asked("graph.patch_me") == 1
    await assert_clean(world, ada)


async def test_R12_a_flow_that_cannot_be_kept_leaves_the_session_of_before(
    world: World, network: Network
) -> None:
    ada = await world.signed_in()
    before = ada.cookie()
    network.redis.refuse(WRITES, NOT_NOW, times=None)

    led = await ada.step_up("/auth/step-up?action=profile.edit&return_to=/check")

    assert led.startswith("/problem?type=session-store-unavailable")
    assert ada.cookie() == before
    network.redis.heal()
    assert (await ada.call("GET", "/api/profile")).status == 200
    await assert_clean(world, ada)


async def test_R12_an_edit_that_was_saved_is_told_so_whatever_redis_does(
    world: World, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.confirmed()
    network.redis.refuse(WRITES, NOT_NOW, times=None)

    saved = await ada.call("PATCH", "/api/profile", SAVE, headers={"Idempotency-Key": "k"})

    assert (saved.status, saved.body["city"]) == (200, "Rome")
    assert "edit-not-noted" in caplog.messages
    network.redis.heal()
    await assert_clean(world, ada)
