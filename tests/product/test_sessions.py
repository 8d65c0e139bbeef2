"""Sessions from outside: whose they are, how long they live, and what is left of them (S15 to S18)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from yarl import URL

from gateway.audit.activity import KEPT_SECONDS
from gateway.proxy.parked_form import MOST_PARKED
from gateway.session.cookie import SessionCookie
from gateway.store.session_ends import TOMBSTONE_SECONDS
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.stored import stored_cache
from tests.stage.witnesses import (
    SESSION,
    everything_in,
    opened,
    pieces_in,
    recording,
    session_keys,
    tell_the_story,
    with_cookie,
)
from tests.stage.world import World, ready

ABSOLUTE = 28_800
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


def plant(person: OtherFrontEnd, value: str) -> None:
    """Put a session cookie into a person's browser."""
    person.session.cookie_jar.update_cookies({SESSION: value}, URL(person.gateway_url))


async def test_S15_an_unknown_planted_id_is_not_adopted(world: World) -> None:
    ada = await world.front_end()
    planted = SessionCookie.new().text
    plant(ada, planted)

    await ready(ada)

    assert ada.cookie() != planted
    assert not set(ada.cookie().split(".")) & set(planted.split("."))
    assert (await with_cookie(world, planted)).status == 401
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_S15_a_planted_session_of_the_attacker_does_not_become_the_victims(world: World) -> None:
    attacker, ada = await world.front_end(), await world.front_end()
    await attacker.sign_in(GRACE)
    planted = attacker.cookie()
    plant(ada, planted)

    await ada.sign_in()

    assert ada.cookie() != planted
    assert (await attacker.call("GET", "/api/profile")).status == 401, "the session that was there is over"
    assert (await ada.call("GET", "/api/profile")).body["displayName"] == "Ada Lovelace"


async def test_S15_signing_in_again_ends_the_session_before(world: World) -> None:
    ada = await world.signed_in()
    old = ada.cookie()

    await ada.sign_in()

    assert ada.cookie() != old
    assert (await with_cookie(world, old)).status == 401
    assert len(session_keys(await world.keys())) == 1


async def test_S15_at_step_up_the_old_id_is_dead_and_says_rotated(world: World) -> None:
    ada = await world.signed_in()
    old = SessionCookie.parse(ada.cookie())
    assert old is not None

    await ada.step_up(STEP_UP)

    refused = await with_cookie(world, old.text)
    assert (refused.status, refused.slug, refused.body["reason"]) == (401, "sign-in-required", "rotated")
    assert old.ref.key not in await world.keys()
    assert len(session_keys(await world.keys())) == 1
    fresh = SessionCookie.parse(ada.cookie())
    assert fresh is not None
    assert (fresh.id != old.id, fresh.secret != old.secret) == (True, True)
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_S15_nobody_is_signed_in_by_the_half_of_a_cookie_that_valkey_knows(world: World) -> None:
    ada = await world.signed_in()
    family, identifier, _secret = ada.cookie().split(".")

    forged = ".".join((family, identifier, SessionCookie.new().text.split(".")[2]))

    assert (await with_cookie(world, forged)).status == 401
    assert (await ada.call("GET", "/api/profile")).status == 200, "and the true cookie is not disturbed"


async def test_S16_an_unused_session_ends_at_the_idle_limit(world: World) -> None:
    ada = await world.signed_in()

    world.forward(1_798)
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
    world.forward(3)

    refused = await ada.call("GET", "/api/profile")
    assert (refused.status, refused.slug, refused.body["reason"]) == (401, "sign-in-required", "expired")
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is False
    (left,) = session_keys(await world.keys())
    assert 0 < await world.redis.pttl(left) <= 1_800_000, "Redis drops it by its own clock"


async def test_S16_no_activity_moves_the_absolute_limit(make_world: Callable[..., Awaitable[World]]) -> None:
    world = await make_world(SESSION_IDLE_SECONDS="1800", SESSION_ABSOLUTE_SECONDS="7200")
    ada = await world.signed_in()
    ends = (await ada.call("GET", "/api/session")).body["expires"]["absolute_at"]

    for _ in range(4):
        world.forward(1_500)
        assert (await ada.call("GET", "/api/session/claims")).status == 200
    expires = (await ada.call("GET", "/api/session")).body["expires"]
    assert expires["absolute_at"] == ends
    assert expires["idle_at"] == ends, "the idle limit never promises more than the absolute one"
    world.forward(1_200)

    refused = await ada.call("GET", "/api/session/claims")
    assert (refused.status, refused.body["reason"]) == (401, "expired")


async def test_S16_a_step_up_does_not_move_the_absolute_limit(world: World) -> None:
    ada = await world.signed_in()
    ends = (await ada.call("GET", "/api/session")).body["expires"]["absolute_at"]

    world.forward(1_000)
    await ada.step_up(STEP_UP)

    assert (await ada.call("GET", "/api/session")).body["expires"]["absolute_at"] == ends


async def test_S16_every_key_has_a_lifetime_within_the_absolute_limit(world: World) -> None:
    async with recording(world) as ada:
        await tell_the_story(ada)
        keys = await world.keys()
        assert len(keys) >= 4, "session, tombstone, indexes, a flow"
        await ada.call("POST", "/auth/sign-out")
    for key in {*keys, *await world.keys()}:
        lifetime = await world.redis.pttl(key)
        # What was done is told for longer than a session lives, and opens nothing.
        longest = KEPT_SECONDS if key.startswith("stepup:activity:") else ABSOLUTE
        assert lifetime == -2 or 0 < lifetime <= longest * 1000, key


async def test_S17_polling_the_session_does_not_prolong_it(world: World) -> None:
    ada = await world.signed_in()
    first = (await ada.call("GET", "/api/session")).body["expires"]["idle_at"]

    for _ in range(29):
        world.forward(60)
        assert (await ada.call("GET", "/api/session")).body["expires"]["idle_at"] == first
    world.forward(61)

    assert (await ada.call("GET", "/api/session")).body["authenticated"] is False
    assert (await ada.call("GET", "/api/profile")).status == 401


async def test_S17_using_the_profile_does_prolong_it(world: World) -> None:
    ada = await world.signed_in()

    for _ in range(2):
        world.forward(1_200)
        assert (await ada.call("GET", "/api/profile")).status == 200

    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True


# The traps of a session that is loaded, kept for a while and written back


@pytest.mark.parametrize("point", ["graph.get_me", "token.refresh_token"])
async def test_a_slow_request_cannot_write_an_ended_session_back(world: World, point: str) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 20})
    ada = await world.signed_in()
    old = ada.cookie()
    assert (await ada.call("GET", "/api/profile")).status == 200
    world.forward(20)
    await world.admin("PUT", f"/faults/{point}", {"delay_ms": 500, "times": 1})

    slow = asyncio.create_task(ada.call("GET", "/api/profile"))
    await asyncio.sleep(
        0.15
    )  # the delayed request is under way; the tenant tells of it only once it is answered
    assert not slow.done()
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    assert (await slow).status in {200, 401}

    late = await with_cookie(world, old)
    assert (late.status, late.body["reason"]) == (401, "signed-out")
    assert session_keys(await world.keys()) == []


async def test_sign_out_leaves_nothing_of_the_session_but_a_tombstone(world: World) -> None:
    ada = await world.confirmed()
    cookie = SessionCookie.parse(ada.cookie())
    assert cookie is not None

    await ada.call("POST", "/auth/sign-out")

    tombstone = f"{cookie.ref.key}:ended"
    keys = await world.keys()
    assert tombstone in keys
    (activity,) = [key for key in keys if not key.endswith(":ended")]
    assert activity.startswith("stepup:activity:"), "what was done, which opens nothing"
    assert await world.redis.get(tombstone) == b"signed-out"
    assert 0 < await world.redis.ttl(tombstone) <= TOMBSTONE_SECONDS
    assert b"{}" not in await pieces_in(world.redis)


async def test_S18_signing_out_twice_is_as_good_as_once(world: World) -> None:
    ada = await world.signed_in()
    old = ada.cookie()

    first = await ada.call("POST", "/auth/sign-out")
    again = await ada.call("POST", "/auth/sign-out", headers={"Cookie": f"{SESSION}={old}"})

    assert (first.status, again.status) == (200, 200)
    assert again.headers["Clear-Site-Data"] == '"cache", "storage"'


async def test_what_valkey_holds_is_sealed(world: World) -> None:
    async with recording(world) as ada:
        await tell_the_story(ada)
        claims = (await ada.call("GET", "/api/session/claims")).body["claims"]
        live = await opened(world, ada)
        held = await everything_in(world.redis)

    personal = [claims["oid"], claims["sub"], claims["name"], live.user.username, "Lovelace"]
    # Long enough not to stand in sealed bytes by chance.
    for text in [*personal, "access_token", "refresh_token", "displayName", '"expires_at"', "parked_edit"]:
        assert text.encode() not in held, text


async def test_a_request_that_fails_keeps_the_tokens_it_renewed(world: World) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 20})
    ada = await world.signed_in()
    live = await opened(world, ada)
    before, version = await stored_cache(live)
    world.forward(20)
    await world.admin("PUT", "/faults/graph.get_me", {"status": 500, "times": 1})

    assert (await ada.call("GET", "/api/profile")).slug == "resource-unavailable"

    after, next_version = await stored_cache(live)
    assert before
    assert after
    assert before != after, "the renewed tokens are kept although the request failed"
    assert next_version > version
    assert await world.asked("token.refresh_token") == 1
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_requests_side_by_side_lose_nothing_of_each_other(world: World) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 20})
    ada = await world.signed_in()
    world.forward(20)

    answers = await asyncio.gather(
        *(ada.call("GET", "/api/profile") for _ in range(6)),
        *(ada.call("PATCH", "/api/profile", {"city": f"City {number}"}) for number in range(MOST_PARKED)),
    )

    assert [answer.status for answer in answers] == [200] * 6 + [403] * MOST_PARKED
    parked = [answer.body["parked_edit"]["id"] for answer in answers[6:]]
    for number, identifier in enumerate(parked):
        parked_edit = await ada.call("GET", f"/api/parked-edits/{identifier}")
        assert parked_edit.body["changes"][0]["to"] == f"City {number}"
