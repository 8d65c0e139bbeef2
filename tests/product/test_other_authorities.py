"""An authority that is not Entra: asked in the words of OpenID Connect, and by the letter of its own issuer."""

import logging
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.stage.id_token_shapes import saying
from tests.stage.other_front_end import Answer
from tests.stage.plain_provider import ISSUER
from tests.stage.plain_world import PlainWorld, plain_world, problem_of

RFC_9470 = 'Bearer error="insufficient_user_authentication", acr_values="urn:mfa urn:key"'


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway whose authority is the plain provider, and Ada signed in."""
    async with plain_world(valkey) as world:
        assert await world.sign_in() == "/edit"
        yield world


async def save(world: PlainWorld) -> Answer:
    """Change the city."""
    return await world.person.call("PATCH", "/api/profile", {"city": "Paris"})


async def asked(world: PlainWorld, path: str) -> dict[str, str]:
    """Return what an authorization request asks for."""
    location = (await world.person.navigate(path)).headers["Location"]
    return {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}


async def test_a_refresh_token_that_does_not_reach_the_edit_scope_leads_to_step_up(world: PlainWorld) -> None:
    refused = await save(world)

    assert (refused.status, refused.slug, refused.body["scope"]) == (403, "step-up-required", "profile.edit")
    assert world.provider.requests["refresh_token"] == 1


async def test_step_up_asks_for_reading_and_editing_so_that_reading_goes_on(world: PlainWorld) -> None:
    redirect = (await save(world)).body["redirect"]

    parameters = await asked(world, redirect)
    assert {"profile.edit", "profile.read"} <= set(parameters["scope"].split())
    assert not {"acr_values", "max_age", "claims", "prompt"} & parameters.keys()

    assert await world.sent(await world.answered(redirect)) == "/"
    assert (await save(world)).body["city"] == "Paris"
    assert (await world.person.call("GET", "/api/profile")).status == 200


async def test_L13_the_first_read_after_a_step_up_asks_for_no_token(world: PlainWorld) -> None:
    path = "/auth/step-up?action=profile.edit&return_to=/edit"
    asked_before = world.provider.requests.copy()

    assert await world.sent(await world.answered(path)) == "/edit"
    assert (await world.person.call("GET", "/api/profile")).status == 200
    assert (await save(world)).body["city"] == "Paris"

    assert world.provider.requests - asked_before == {"authorization_code": 1, "me": 1, "edit": 1}


async def test_a_challenge_of_rfc_9470_is_asked_in_its_own_words(world: PlainWorld) -> None:
    world.provider.demand = f"{RFC_9470}, max_age=300"
    await world.sent(await world.answered((await save(world)).body["redirect"]))
    refused = await save(world)
    assert refused.slug == "step-up-required"

    parameters = await asked(world, refused.body["redirect"])

    assert (parameters["acr_values"], parameters["max_age"]) == ("urn:mfa urn:key", "300")
    assert not {"claims", "prompt"} & parameters.keys()
    assert await world.sent(await world.answered(refused.body["redirect"])) == "/"
    assert (await save(world)).body["city"] == "Paris"


async def test_an_authentication_older_than_the_challenge_allows_is_refused(world: PlainWorld) -> None:
    world.provider.demand = f"{RFC_9470}, max_age=300"
    await world.sent(await world.answered((await save(world)).body["redirect"]))
    redirect = (await save(world)).body["redirect"]
    now = int(world.clock())

    for age, outcome in ((300 + 121, "/problem"), (299, "/")):
        world.provider.shape = lambda claims, age=age: saying(auth_time=now - age)(world.provider, claims)
        location = await world.sent(await world.answered(redirect))
        assert location.split("?")[0] == outcome


async def test_a_confirmation_that_ended_is_asked_for_anew(valkey: str) -> None:
    async with plain_world(valkey, STEP_UP_MAX_AGE_SECONDS="600") as world:
        await world.sign_in()
        await world.sent(await world.answered((await save(world)).body["redirect"]))
        assert (await save(world)).status == 200
        world.clock.now += 601

        parameters = await asked(world, (await save(world)).body["redirect"])

        assert parameters["prompt"] == "login"


async def test_an_issuer_may_end_with_a_slash(valkey: str) -> None:
    async with plain_world(valkey, AUTHORITY=f"{ISSUER}/") as world:
        world.provider.metadata = {"issuer": f"{ISSUER}/"}
        world.provider.shape = lambda claims: saying(iss=f"{ISSUER}/")(world.provider, claims)

        assert await world.sent({**await world.answered(), "iss": f"{ISSUER}/"}) == "/edit"


async def test_an_issuer_is_compared_to_the_letter(valkey: str) -> None:
    async with plain_world(valkey, AUTHORITY=f"{ISSUER}/") as world:
        location = (await world.person.navigate("/auth/sign-in")).headers["Location"]

        assert problem_of(location) == "misconfigured"


async def test_S11_an_authority_may_answer_by_query_and_the_code_goes_no_further(
    valkey: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with plain_world(valkey, RESPONSE_MODE="query") as world:
        answer = await world.answered()

        with caplog.at_level(logging.DEBUG):
            response = await world.person.navigate(f"/auth/callback?{urlencode(answer)}")

        assert (response.status, response.headers["Location"]) == (303, "/edit")
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert await world.is_signed_in()
        assert (await world.person.navigate("/auth/callback", answer)).status == 405, "and by no other way"
        ours = [record for record in caplog.records if record.name.startswith(("gateway", "servicekit"))]
        logged = " ".join(str(vars(record)) for record in ours)
        assert "signed-in" in logged
        for secret in (answer["code"], answer["state"]):
            assert secret not in logged


async def test_a_session_without_a_refresh_token_ends_with_its_access_token(valkey: str) -> None:
    async with plain_world(valkey, SESSION_IDLE_SECONDS="7200") as world:
        world.provider.answer = {"refresh_token": None}
        await world.sign_in()
        world.clock.now += 3500
        assert (await world.person.call("GET", "/api/profile")).status == 200
        world.clock.now += 100

        answer = await world.person.call("GET", "/api/profile")

        assert (answer.status, answer.slug) == (401, "sign-in-required")
        assert world.provider.requests["refresh_token"] == 0
        assert await world.sign_in() == "/edit", "and signing in again helps"
        assert (await world.person.call("GET", "/api/profile")).status == 200


async def test_an_authority_that_names_plain_http_addresses_is_a_misconfiguration(valkey: str) -> None:
    async with plain_world(valkey) as world:
        world.provider.metadata = {"token_endpoint": "http://op.example/token"}

        location = (await world.person.navigate("/auth/sign-in")).headers["Location"]

        assert problem_of(location) == "misconfigured"
