"""Token answers that bring nothing to work with: one clean answer each, and the session tells the same (W11)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.stage.plain_world import PlainWorld, plain_world, problem_of
from tests.stage.witnesses import records

HOUR = 3600
REFUSED: dict[str, dict[str, Any]] = {
    "DPoP": {"token_type": "DPoP"},
    "mac": {"token_type": "mac"},
    "no kind at all": {"token_type": "N_A"},
    "a kind that is a number": {"token_type": 7},
    "an empty token": {"access_token": ""},
    "a token that is a number": {"access_token": 7},
    "a token with a line break": {"access_token": "a\r\nX-Injected: 1"},
    "a token with a space": {"access_token": "a b"},
    "a token that no header takes": {"access_token": "x" * 40_000},
    "no token": {"access_token": None},
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "bearer": {"token_type": "bearer"},
    "BEARER": {"token_type": "BEARER"},
    "no kind": {"token_type": None},
    "no scope": {"scope": None},
    "a narrower scope": {"scope": "openid"},
    "no life": {"expires_in": None},
    "a life of zero": {"expires_in": 0},
    "a life as text": {"expires_in": "3600"},
    "a life with a fraction": {"expires_in": 3599.5},
    "a life without end": {"expires_in": 10**12},
    "no ID token": {"id_token": None},
    "other ideas of when to renew": {"refresh_in": "soon", "ext_expires_in": [], "expires_on": "today"},
}


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway in front of the plain provider."""
    async with plain_world(valkey, SESSION_IDLE_SECONDS="7200") as world:
        yield world


async def told(world: PlainWorld) -> tuple[bool, int, str]:
    """Return what the session says, and what the profile says, which must not change from call to call."""
    told = set()
    for _ in range(3):
        authenticated = await world.is_signed_in()
        answer = await world.person.call("GET", "/api/profile")
        told.add((authenticated, answer.status, "" if answer.status == 200 else answer.slug))
    assert len(told) == 1, told
    return told.pop()


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED.keys())
async def test_W11_at_a_refresh_an_unusable_token_is_a_misconfiguration_and_nobody_uses_it(
    world: PlainWorld, answer: dict[str, Any]
) -> None:
    await world.sign_in()
    world.clock.now += HOUR
    world.provider.answer = answer

    assert await told(world) == (True, 500, "misconfigured")

    assert world.provider.requests["me"] == 0
    assert world.provider.requests["refresh_token"] == 1, "a burst costs one request"


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED.keys())
async def test_W11_at_a_sign_in_an_unusable_token_leaves_nothing(
    world: PlainWorld, answer: dict[str, Any]
) -> None:
    world.provider.answer = answer

    assert problem_of(await world.sign_in()) == "misconfigured"

    assert not await world.is_signed_in()
    assert records(await world.keys()) == []


@pytest.mark.parametrize("answer", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_W11_what_a_provider_may_leave_out_or_write_otherwise_is_taken(
    world: PlainWorld, answer: dict[str, Any]
) -> None:
    if "id_token" not in answer:
        world.provider.answer = answer
    await world.sign_in()
    world.provider.answer = answer
    world.clock.now += HOUR

    assert await told(world) == (True, 200, "")


@pytest.mark.parametrize(
    "text", ["{}", '{"token_type": "Bearer"}', '{"access_token": null}', '{"ok": false}']
)
@pytest.mark.parametrize("status", [200, 400, 403])
async def test_W11_a_refresh_that_gives_nothing_is_one_answer_and_not_401_in_turns(
    world: PlainWorld, status: int, text: str
) -> None:
    await world.sign_in()
    world.clock.now += HOUR
    world.provider.refusal = lambda: web.Response(status=status, text=text, content_type="application/json")

    assert await told(world) == (True, 500, "misconfigured")

    world.provider.refusal = None
    world.clock.now += 11
    assert (await world.person.call("GET", "/api/profile")).status == 200


async def test_W11_a_token_of_20_kilobytes_is_used(world: PlainWorld) -> None:
    world.provider.answer = {"access_token": "x" * 20_000}
    await world.sign_in()

    authenticated, status, _slug = await told(world)

    assert authenticated
    assert status == 200


async def test_W11_without_a_refresh_token_the_session_ends_with_its_token_and_says_so(
    world: PlainWorld,
) -> None:
    world.provider.answer = {"refresh_token": None, "expires_in": 600}
    await world.sign_in()
    session = (await world.person.call("GET", "/api/session")).body
    assert session["access"] == {"profile.edit": "step-up"}
    assert session["expires"]["absolute_at"] == session["expires"]["idle_at"]

    world.clock.now += 598.5
    assert await told(world) == (True, 200, ""), "to its last moment"
    world.clock.now += 2

    assert await told(world) == (False, 401, "sign-in-required")
    assert (await world.person.call("GET", "/api/profile")).body["reason"] == "expired"
    assert world.provider.requests["refresh_token"] == 0
    assert await world.sign_in() == "/edit"
    assert await told(world) == (True, 200, "")


async def test_W11_without_a_refresh_token_a_token_for_editing_that_ended_is_a_step_up(
    world: PlainWorld,
) -> None:
    world.provider.answer = {"refresh_token": None}
    await world.sign_in()
    world.provider.answer = {"refresh_token": None, "expires_in": 60}
    refused = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})
    assert refused.slug == "step-up-required"
    assert await world.sent(await world.answered(refused.body["redirect"])) == "/"
    assert (await world.person.call("PATCH", "/api/profile", {"city": "Paris"})).status == 200
    assert (await world.person.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}

    world.clock.now += 61  # Redis tells whole milliseconds, and its time of now is counted on from there

    session = (await world.person.call("GET", "/api/session")).body
    assert (session["authenticated"], session["access"]) == (True, {"profile.edit": "step-up"})
    assert (await world.person.call("PATCH", "/api/profile", {"city": "Rome"})).slug == "step-up-required"
    assert await told(world) == (True, 200, "")
    assert world.provider.requests["refresh_token"] == 0


async def test_W11_a_step_up_that_brings_no_refresh_token_leaves_the_one_of_before(world: PlainWorld) -> None:
    # Google gives one at the first consent only.
    await world.sign_in()
    refused = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})
    world.provider.answer = {"refresh_token": None}
    assert await world.sent(await world.answered(refused.body["redirect"])) == "/"
    asked = world.provider.requests["refresh_token"]
    world.clock.now += HOUR

    assert await told(world) == (True, 200, "")

    assert world.provider.requests["refresh_token"] == asked + 1
    assert (await world.person.call("PATCH", "/api/profile", {"city": "Rome"})).slug == "step-up-required"
