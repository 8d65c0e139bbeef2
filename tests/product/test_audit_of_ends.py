"""What the audit trail says of the ends of sessions that nobody asked for, and of flows that were (A6, U37)."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.product.test_tokens import end_of_token
from tests.stage.other_front_end import ADA
from tests.stage.plain_world import PlainWorld, plain_world
from tests.stage.raw_http import ask_raw
from tests.stage.trails import ReadTrail
from tests.stage.world import World


@pytest.fixture
async def plain(valkey: str, trail: ReadTrail) -> AsyncIterator[PlainWorld]:
    """Give a gateway with back-channel logout and that trail, and Ada signed in."""
    async with plain_world(valkey, trail.trail, BACKCHANNEL_LOGOUT="1") as world:
        assert await world.sign_in() == "/edit"
        trail.new()
        yield world


async def test_A6_S21_a_logout_token_that_is_believed_ends_sessions_and_one_that_is_not_is_told(
    plain: PlainWorld, trail: ReadTrail
) -> None:
    token = plain.provider.logout_token()

    assert (await plain.sign_out_here(token)).status == 200
    assert trail.facts() == [("session-end", "success", "signed-out")]

    assert (await plain.sign_out_here(token)).status == 400
    assert (await plain.sign_out_here("no.token.atall")).status == 400
    (used, forged) = trail.new()
    for line in (used, forged):
        assert (line["fact"], line["event"]) == ("logout-token", "input_validation_fail")
        assert (line["outcome"], line["reason"]) == ("refused", "bad-request")


async def test_A6_an_answer_that_comes_again_is_told_as_nobodys(plain: PlainWorld, trail: ReadTrail) -> None:
    answer = await plain.answered("/auth/sign-in")
    await plain.sent(answer)
    assert [fact for fact, _, _ in trail.facts()] == ["session-end", "sign-in", "session-start"]

    plain.clock.now += 60
    assert "sign-in-expired" in await plain.sent(answer)

    assert trail.facts() == [("unknown-flow", "refused", "sign-in-expired")]


async def test_A6_an_answer_that_is_not_to_be_believed_is_a_sign_in_that_failed(
    plain: PlainWorld, trail: ReadTrail
) -> None:
    answer = await plain.answered("/auth/sign-in")
    plain.provider.shape = lambda claims: plain.provider.signing.token({**claims, "nonce": "another"})
    assert "sign-in-failed" in await plain.sent(answer)

    (line,) = trail.new()

    assert (line["fact"], line["event"], line["reason"]) == ("sign-in", "authn_login_fail", "sign-in-failed")


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], trail: ReadTrail) -> World:
    """Give a world whose gateway has that trail, and lets a person have two sessions."""
    return await make_world(trail=trail.trail, MAX_SESSIONS_PER_PERSON="2")


async def test_A6_a_session_whose_grant_is_dead_ends_once(world: World, trail: ReadTrail) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("POST", f"/people/{ADA[0]}/revoke")
    trail.new()

    assert [(await ada.call("GET", "/api/profile")).status for _ in range(2)] == [401, 401]

    facts = trail.facts()
    assert facts.count(("session-end", "success", "revoked")) == 1
    assert facts.count(("grant-end", "success", "revoked")) == 1
    assert {fact for fact, _, _ in facts} == {"grant-end", "session-end", "ended-session-use"}
    again = await world.signed_in()
    shown = (await again.call("GET", "/api/activity")).body["entries"][1]
    assert (shown["event"], shown["reason"], shown["sessions"]) == ("session-end", "revoked", 1)


async def test_A6_S16_a_session_whose_time_is_over_is_told_when_its_cookie_comes_back(
    world: World, trail: ReadTrail
) -> None:
    ada = await world.signed_in()
    (began,) = [line for line in trail.new() if line["fact"] == "session-start"]
    world.forward(2_000)

    assert (await ada.call("GET", "/api/profile")).status == 401

    (line,) = trail.new()
    assert (line["fact"], line["event"], line["reason"]) == (
        "ended-session-use",
        "session_use_after_expire",
        "expired",
    )
    assert line["session"] == began["session"]
    assert "person" not in line


async def test_A6_A2_a_session_that_was_one_too_many_is_told(world: World, trail: ReadTrail) -> None:
    for _ in range(2):
        await world.signed_in()
        world.forward(60)
    trail.new()

    ada = await world.signed_in()

    (ended,) = [line for line in trail.new() if line["fact"] == "session-end"]
    assert (ended["reason"], ended["person"]) == (
        "too-many-sessions",
        (await ada.call("GET", "/api/session")).body["user"]["id"],
    )
    shown = (await ada.call("GET", "/api/activity")).body["entries"]
    assert "too-many-sessions" in [one.get("reason") for one in shown]


async def test_A6_A1_a_cookie_that_came_twice_is_told(world: World, trail: ReadTrail) -> None:
    ada = await world.signed_in()
    trail.new()
    twice = f"__Host-Http-session={ada.cookie()}; __Host-Http-session={'A' * 22}.{'B' * 43}.{'C' * 43}"

    fields = [("X-CSRF", "1"), ("Cookie", twice)]
    assert (await ask_raw(world.gateway_url, "GET", "/api/profile", fields)).status == 401

    assert trail.facts() == [("duplicate-cookie", "refused", "duplicate-cookie")]
