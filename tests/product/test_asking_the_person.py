"""Whatever asks for the person is a step-up, however a provider says it (W3)."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.tokens.token_records import REFUSAL_SECONDS
from tests.stage.plain_world import PlainWorld, plain_world

FORM = "application/x-www-form-urlencoded"
HOUR = 3600


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway whose authority is the plain provider, and Ada signed in for longer than a token lives."""
    async with plain_world(valkey, SESSION_IDLE_SECONDS="7200") as world:
        assert await world.sign_in() == "/edit"
        yield world


def refused(status: int, text: str, content_type: str = "application/json") -> web.Response:
    """Return the answer to a refresh."""
    return web.Response(status=status, text=text, content_type=content_type)


@pytest.mark.parametrize(
    "status, text, content_type",
    [
        (403, '{"error": "mfa_required", "mfa_token": "x"}', "application/json"),  # Auth0
        (400, '{"error": "mfa_required"}', "application/json"),
        (401, '{"error": "MFA_REQUIRED"}', "application/json"),
        (200, '{"error": "mfa_required"}', "application/json"),
        (403, '{"error": "mfa_required"}', "text/plain"),
        (403, "error=mfa_required&error_description=a+factor", FORM),
        (200, "error=login_required", FORM),
        (400, '{"error": {"code": "interaction_required"}}', "application/json"),
        (400, '{"error": "login_required"}', "application/json"),
        (400, '{"error": "consent_required"}', "application/json"),
        (400, '{"error": "account_selection_required"}', "application/json"),
        (400, '{"error": "unmet_authentication_requirements"}', "application/json"),
        (401, '{"error": "insufficient_user_authentication"}', "application/json"),
        (400, '{"error": "invalid_grant", "suberror": "basic_action"}', "application/json"),
        (400, '{"error": "invalid_grant", "error_subtype": "invalid_rapt"}', "application/json"),
        (400, '{"error": "invalid_grant", "error_codes": [50076]}', "application/json"),
        (400, '{"error": "invalid_scope"}', "application/json"),
        (403, '{"error": "insufficient_scope"}', "application/json"),
    ],
)
async def test_W3_a_refusal_that_asks_for_the_person_is_a_step_up(
    world: PlainWorld, status: int, text: str, content_type: str
) -> None:
    world.provider.refusal = lambda: refused(status, text, content_type)

    for _ in range(3):
        answer = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})
        assert (answer.status, answer.slug, answer.body["scope"]) == (403, "step-up-required", "profile.edit")
        assert (await world.person.call("GET", "/api/profile")).status == 200
    assert world.provider.requests["refresh_token"] == 1
    session = (await world.person.call("GET", "/api/session")).body
    assert (session["authenticated"], session["access"]) == (True, {"profile.edit": "step-up"})

    world.provider.refusal = None
    assert await world.sent(await world.answered(answer.body["redirect"])) == "/"
    saved = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})
    assert (saved.status, saved.body["city"]) == (200, "Paris")


@pytest.mark.parametrize(
    "status, text, slug",
    [
        (400, '{"error": "invalid_client"}', "misconfigured"),
        (401, '{"error": "unauthorized_client"}', "misconfigured"),
        (401, '{"errorCode": "invalid_client"}', "misconfigured"),
        (400, '{"error": "client_authentication_required"}', "misconfigured"),
        (403, "<html>mfa_required</html>", "authority-unavailable"),
        (403, "error=mfa_required", "authority-unavailable"),
        (429, '{"error": "mfa_required"}', "authority-unavailable"),
        (503, '{"error": "interaction_required"}', "authority-unavailable"),
        (400, '{"error": "slow_down"}', "authority-unavailable"),
        (403, '{"error": "access_denied"}', "access-blocked"),
    ],
)
async def test_W3_what_asks_for_nobody_is_no_step_up_and_signs_nobody_out(
    world: PlainWorld, status: int, text: str, slug: str
) -> None:
    content_type = "text/html" if text.startswith(("<", "error=")) else "application/json"
    world.provider.refusal = lambda: refused(status, text, content_type)

    answer = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})

    assert answer.slug == slug
    assert "redirect" not in answer.body
    assert await world.is_signed_in()
    world.clock.now += REFUSAL_SECONDS
    assert (await world.person.call("GET", "/api/profile")).status == 200


@pytest.mark.parametrize("error", ["invalid_grant", "bad_refresh_token", "expired_token", "invalid_token"])
@pytest.mark.parametrize("status", [200, 400, 401])
async def test_W3_a_grant_that_is_gone_is_one_clean_sign_in(
    world: PlainWorld, error: str, status: int
) -> None:
    world.provider.refusal = lambda: refused(status, f'{{"error": "{error}"}}')
    world.clock.now += HOUR

    for _ in range(2):
        answer = await world.person.call("GET", "/api/profile")
        assert (answer.status, answer.body["reason"]) == (401, "revoked")
        assert not await world.is_signed_in()
    assert world.provider.requests["refresh_token"] == 1


@pytest.mark.parametrize("scope", ["openid profile profile.read", "openid", ""])
async def test_W3_where_the_answer_says_that_editing_was_not_granted_nobody_asks_in_vain(
    valkey: str, scope: str
) -> None:
    async with plain_world(valkey, SESSION_IDLE_SECONDS="7200") as world:
        world.provider.answer = {"scope": scope}
        await world.sign_in()

        refused = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})

        assert (refused.status, refused.slug, refused.body["scope"]) == (
            403,
            "step-up-required",
            "profile.edit",
        )
        assert world.provider.requests["refresh_token"] == 0
        assert (await world.person.call("GET", "/api/session")).body["access"] == {"profile.edit": "step-up"}
        assert await world.sent(await world.answered(refused.body["redirect"])) == "/"
        assert (await world.person.call("PATCH", "/api/profile", {"city": "Paris"})).status == 200
        world.clock.now += HOUR
        assert (await world.person.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200
        assert (await world.person.call("GET", "/api/profile")).status == 200
        assert world.provider.requests["refresh_token"] == 2, "what the step-up asked for can be renewed"


async def test_W3_where_the_answer_says_that_editing_was_granted_it_is_asked_for(valkey: str) -> None:
    async with plain_world(valkey) as world:
        world.provider.answer = {"scope": "openid profile.read profile.edit"}
        await world.sign_in()

        await world.person.call("PATCH", "/api/profile", {"city": "Paris"})

        assert world.provider.requests["refresh_token"] == 1


async def test_W3_a_scope_that_is_never_granted_ends_in_the_loop_guard(world: PlainWorld) -> None:
    world.provider.demand = 'Bearer error="insufficient_scope", scope="profile.edit"'
    for _ in range(3):
        refused = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})
        assert refused.slug == "step-up-required"
        await world.sent(await world.answered(refused.body["redirect"]))

    looped = await world.person.call("PATCH", "/api/profile", {"city": "Paris"})

    assert (looped.status, looped.slug) == (429, "step-up-loop")
