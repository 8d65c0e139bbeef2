"""R10: SIGKILL at every moment of sign-in, step-up, refresh and PATCH; the store is clean, nothing is lost.

A moment is what passes between the gateway and what it asks: a request on its way, or its answer.
"""

import signal
import time
from collections.abc import Awaitable

import aiohttp
import pytest

from gateway.app_keys import VAULT
from gateway.store.leases import LEASE_SECONDS
from gateway.store.scripts import CREATE, INDEX
from tests.product.test_tokens import READ, end_of_token, live
from tests.real.crash.doomed import Doomed, Kill
from tests.stage.http_wire import asks, token_request
from tests.stage.invariants import drop_leases, violations
from tests.stage.network import WRITES
from tests.stage.other_front_end import ADA
from tests.stage.redis_wire import runs
from tests.stage.stored import stored_token
from tests.stage.visitor import Page
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
CODE, REFRESH, EDIT = (
    token_request("authorization_code"),
    token_request("refresh_token"),
    asks("PATCH", "/profile"),
)
ARRIVING: dict[str, Kill] = {
    "code sent": lambda network, pid: network.authority.kill(pid, CODE),
    "tokens given": lambda network, pid: network.authority.kill(pid, CODE, answered=True),
    "session about to be noted": lambda network, pid: network.redis.kill(pid, runs(INDEX)),
    "session about to be written": lambda network, pid: network.redis.kill(pid, runs(CREATE)),
    "session written": lambda network, pid: network.redis.kill(pid, runs(CREATE), answered=True),
}
REFRESHING: dict[str, Kill] = {
    "tokens given": lambda network, pid: network.authority.kill(pid, REFRESH, answered=True),
    "first write done": lambda network, pid: network.redis.kill(pid, WRITES, answered=True),
}
SAVING: dict[str, Kill] = {
    "edit sent": lambda network, pid: network.api.kill(pid, EDIT),
    "edit saved": lambda network, pid: network.api.kill(pid, EDIT, answered=True),
}


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
    redemptions = await world.asked("token.authorization_code")
    answer = await gateway.there.navigate("/auth/callback", page.form.inputs)
    assert answer.headers["Location"].startswith("/problem?type=sign-in-expired")
    assert await world.asked("token.authorization_code") == redemptions, "a code is redeemed once"


@pytest.mark.parametrize("moment", ARRIVING)
async def test_R10_killed_while_signing_in(world: World, gateway: Doomed, moment: str) -> None:
    page = await gateway.here.leave("/auth/sign-in?return_to=/edit")
    page = await gateway.here.visitor.submit(page, email=ADA[0], password=ADA[1])
    gateway.dies(ARRIVING[moment])

    await dies(gateway, gateway.here.come_back(page))

    await assert_clean(world)
    assert await world.asked("token.authorization_code") == (moment != "code sent")
    await replay(world, gateway, page)
    await signs_in_again(world, gateway)


@pytest.mark.parametrize("moment", ARRIVING)
async def test_R10_killed_while_stepping_up(world: World, gateway: Doomed, moment: str) -> None:
    await gateway.there.sign_in()
    before = gateway.there.cookie()
    parked = await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"})
    page = await gateway.here.leave(STEP_UP)
    page = await gateway.here.visitor.submit(page, code=await gateway.here.visitor.newest_code(ADA[0]))
    gateway.dies(ARRIVING[moment])

    await dies(gateway, gateway.here.come_back(page))

    await assert_clean(world, before)
    assert await world.asked("token.authorization_code") == 1 + (moment != "code sent")
    await replay(world, gateway, page)
    assert gateway.there.cookie() == before
    answer = await gateway.there.call("GET", "/api/profile")
    if moment == "session written":
        assert (answer.status, answer.body["reason"]) == (401, "rotated"), "the new id died with the answer"
        await signs_in_again(world, gateway)
        return
    assert answer.status == 200, "the session of before is untouched"
    await drop_leases(world.redis)
    assert await gateway.there.step_up(STEP_UP) == "/edit"
    saved = await gateway.there.call("POST", f"/api/parked-edits/{parked.body['parked_edit']['id']}")
    assert (saved.status, saved.body["city"]) == (200, "Rome"), "and so is what was parked in it"
    await assert_clean(world, gateway.there.cookie())


@pytest.mark.parametrize("strict", [False, True], ids=["entra", "strict rotation"])
@pytest.mark.parametrize("moment", REFRESHING)
async def test_R10_killed_while_refreshing(
    world: World, gateway: Doomed, moment: str, *, strict: bool
) -> None:
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": strict})
    await gateway.there.sign_in()
    await end_of_token(world, gateway.there, 0)
    gateway.dies(REFRESHING[moment])

    await dies(gateway, gateway.here.call("GET", "/api/profile"))

    await assert_clean(world, gateway.there.cookie())
    session = await live(world, gateway.there)
    token = await stored_token(session, READ)
    is_renewed = token is not None and token.expires_at > world.clock.now + 10
    assert not (is_renewed and moment == "tokens given")
    await drop_leases(world.redis, after=0.5)
    began = time.monotonic()
    answer = await gateway.there.call("GET", "/api/profile")
    assert time.monotonic() - began < LEASE_SECONDS + 2, "a dead holder's lease ends by itself"
    if strict and moment == "tokens given":
        # The one refresh token that still worked died with the gateway: there is nothing left to renew with.
        assert (answer.status, answer.body["reason"]) == (401, "revoked")
        await signs_in_again(world, gateway)
        return
    assert answer.status == 200
    assert await world.asked("token.refresh_token") == (1 if is_renewed else 2)
    await assert_clean(world, gateway.there.cookie())


@pytest.mark.parametrize("moment", SAVING)
async def test_R10_killed_while_applying_a_parked_edit(world: World, gateway: Doomed, moment: str) -> None:
    await gateway.there.sign_in()
    refused = (await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"})).body
    await gateway.there.step_up(f"{refused['redirect']}&return_to=/check")
    path = f"/api/parked-edits/{refused['parked_edit']['id']}"
    gateway.dies(SAVING[moment])

    await dies(gateway, gateway.here.call("POST", path))

    await assert_clean(world, gateway.there.cookie())
    assert await world.asked("graph.patch_me") == (moment == "edit saved")
    await drop_leases(world.redis)
    assert (await gateway.there.call("GET", path)).status == 200, "it can be confirmed again"
    saved = await gateway.there.call("POST", path)
    assert (saved.status, saved.body["city"]) == (200, "Rome")
    assert (await gateway.there.call("POST", path)).status == 404, "and then it is done"
    await assert_clean(world, gateway.there.cookie())


async def test_R10_killed_after_an_edit_with_a_key(world: World, gateway: Doomed) -> None:
    key = {"Idempotency-Key": "k"}
    await gateway.there.sign_in()
    await gateway.there.step_up(STEP_UP)
    gateway.dies(SAVING["edit saved"])

    await dies(gateway, gateway.here.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key))

    await assert_clean(world, gateway.there.cookie())
    early = await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
    assert (early.status, early.slug) == (409, "edit-in-progress")
    await drop_leases(world.redis)
    saved = await gateway.there.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
    assert (saved.status, saved.body["city"]) == (200, "Rome")
    await assert_clean(world, gateway.there.cookie())
