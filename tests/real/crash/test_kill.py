"""R10: SIGKILL at every named point of sign-in, step-up, refresh and PATCH; the store is clean, nothing is lost."""

import signal
import time
from collections.abc import Awaitable

import aiohttp
import pytest

from gateway.app_keys import VAULT
from gateway.store.leases import LEASE_SECONDS
from tests.product.test_tokens import end_of_token
from tests.real.crash.doomed import Doomed, doomed
from tests.stage.invariants import drop_leases, violations
from tests.stage.other_front_end import ADA
from tests.stage.visitor import Page
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


async def dies(gateway: Doomed, request: Awaitable[object]) -> None:
    """Let the request end as its gateway does, by SIGKILL."""
    with pytest.raises(aiohttp.ClientError):
        await request
    assert await gateway.ends() == -signal.SIGKILL


async def assert_clean(world: World, *cookies: str) -> None:
    """Assert that the store is as it must be."""
    assert await violations(world.redis, world.app[VAULT], [text for text in cookies if text]) == []


async def signs_in_again(world: World, gateway: Doomed) -> None:
    """Assert that the person can simply start again."""
    assert await gateway.there.sign_in() == "/edit"
    assert (await gateway.there.call("GET", "/api/profile")).status == 200
    await assert_clean(world, gateway.there.cookie())


async def replay(world: World, gateway: Doomed, page: Page) -> None:
    """Assert that the answer which the dead gateway got is worth nothing to another."""
    asked = await world.asked("token.authorization_code")
    answer = await gateway.there.navigate("/auth/callback", page.form.inputs)
    assert answer.headers["Location"].startswith("/problem?type=sign-in-expired")
    assert await world.asked("token.authorization_code") == asked, "a code is redeemed once"


@pytest.mark.parametrize("point", ["flow-taken", "code-redeemed", "person-judged", "session-started"])
async def test_R10_killed_while_signing_in(world: World, valkey: str, point: str) -> None:
    async with doomed(world, valkey, f"{point}=kill") as gateway:
        page = await gateway.here.leave("/auth/sign-in?return_to=/edit")
        page = await gateway.here.visitor.submit(page, email=ADA[0], password=ADA[1])

        await dies(gateway, gateway.here.come_back(page))

        await assert_clean(world)
        assert await world.asked("token.authorization_code") == (point != "flow-taken")
        await replay(world, gateway, page)
        await signs_in_again(world, gateway)


@pytest.mark.parametrize("point", ["flow-taken", "code-redeemed", "person-judged", "session-started"])
async def test_R10_killed_while_stepping_up(world: World, valkey: str, point: str) -> None:
    async with doomed(world, valkey, f"{point}=kill*1") as gateway:
        await gateway.there.sign_in()
        before = gateway.there.cookie()
        parked = await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"})
        page = await gateway.here.leave(STEP_UP)
        page = await gateway.here.visitor.submit(page, code=await gateway.here.visitor.newest_code(ADA[0]))

        await dies(gateway, gateway.here.come_back(page))

        await assert_clean(world, before)
        assert await world.asked("token.authorization_code") == 1 + (point != "flow-taken")
        await replay(world, gateway, page)
        assert gateway.there.cookie() == before
        answer = await gateway.there.call("GET", "/api/profile")
        if point == "session-started":
            assert (answer.status, answer.body["reason"]) == (401, "rotated"), (
                "the new id died with the answer"
            )
            await signs_in_again(world, gateway)
            return
        assert answer.status == 200, "the session of before is untouched"
        await drop_leases(world.redis)
        assert await gateway.there.step_up(STEP_UP) == "/edit"
        saved = await gateway.there.call("POST", f"/api/parked-edits/{parked.body['parked_edit']['id']}")
        assert (saved.status, saved.body["city"]) == (200, "Rome"), "and so is what was parked in it"
        await assert_clean(world, gateway.there.cookie())


@pytest.mark.parametrize("strict", [False, True], ids=["entra", "strict rotation"])
@pytest.mark.parametrize("point", ["token-redeemed", "cache-kept"])
async def test_R10_killed_while_refreshing(world: World, valkey: str, point: str, *, strict: bool) -> None:
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": strict})
    async with doomed(world, valkey, f"{point}=kill") as gateway:
        await gateway.there.sign_in()
        await end_of_token(world, gateway.there, 10)

        await dies(gateway, gateway.here.call("GET", "/api/profile"))

        await assert_clean(world, gateway.there.cookie())
        if strict or point == "cache-kept":
            await drop_leases(world.redis)
        began = time.monotonic()
        answer = await gateway.there.call("GET", "/api/profile")
        assert time.monotonic() - began < LEASE_SECONDS + 2, "a dead holder's lease ends by itself"
        if strict and point == "token-redeemed":
            # The one refresh token that still worked died with the gateway: there is nothing left to renew with.
            assert (answer.status, answer.body["reason"]) == (401, "revoked")
            await signs_in_again(world, gateway)
            return
        assert answer.status == 200
        assert await world.asked("token.refresh_token") == 2
        await assert_clean(world, gateway.there.cookie())


@pytest.mark.parametrize("point", ["parked-claimed", "edit-sent"])
async def test_R10_killed_while_applying_a_parked_edit(world: World, valkey: str, point: str) -> None:
    async with doomed(world, valkey, f"{point}=kill") as gateway:
        await gateway.there.sign_in()
        refused = (await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"})).body
        await gateway.there.step_up(f"{refused['redirect']}&return_to=/check")
        path = f"/api/parked-edits/{refused['parked_edit']['id']}"

        await dies(gateway, gateway.here.call("POST", path))

        await assert_clean(world, gateway.there.cookie())
        assert await world.asked("graph.patch_me") == (point == "edit-sent")
        await drop_leases(world.redis)
        assert (await gateway.there.call("GET", path)).status == 200, "it can be confirmed again"
        saved = await gateway.there.call("POST", path)
        assert (saved.status, saved.body["city"]) == (200, "Rome")
        assert (await gateway.there.call("POST", path)).status == 404, "and then it is done"
        await assert_clean(world, gateway.there.cookie())


async def test_R10_killed_after_an_edit_with_a_key(world: World, valkey: str) -> None:
    key = {"Idempotency-Key": "k"}
    async with doomed(world, valkey, "edit-sent=kill") as gateway:
        await gateway.there.sign_in()
        await gateway.there.step_up(STEP_UP)

        await dies(gateway, gateway.here.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key))

        await assert_clean(world, gateway.there.cookie())
        early = await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
        assert (early.status, early.slug) == (409, "edit-in-progress")
        await drop_leases(world.redis)
        saved = await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
        assert (saved.status, saved.body["city"]) == (200, "Rome")
        await assert_clean(world, gateway.there.cookie())
