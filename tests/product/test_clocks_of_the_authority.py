"""The authority's clock, ours and the resource API's are apart: within the leeway nobody notices (R21)."""

import re
from collections.abc import Awaitable, Callable

import pytest

from gateway.app_keys import METRICS
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import REFUSAL_SECONDS
from servicekit.jwt_verifier import TOKENS
from tests.product.test_tokens import end_of_token
from tests.stage.id_token_shapes import Shape, hs256, saying, signed_by_a_stranger, unsigned
from tests.stage.plain_world import plain_world
from tests.stage.tenant import API, EDIT, GATEWAY
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
LEEWAY = 120


@pytest.mark.parametrize("ahead", [62, 90, LEEWAY - 2, -62, -90, 2 - LEEWAY])
async def test_L4_up_to_the_leeway_sign_in_step_up_and_the_edit_work(world: World, ahead: int) -> None:
    world.tenant_clock.now += ahead

    ada = await world.confirmed()

    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("PATCH", "/api/profile", {"city": "Ockham"})).body["city"] == "Ockham"


async def test_L4_the_leeway_of_both_services_is_a_setting(make_world: MakeWorld) -> None:
    seconds = {"CLOCK_LEEWAY_SECONDS": "300", "api_CLOCK_LEEWAY_SECONDS": "300"}
    world = await make_world(**seconds)
    world.tenant_clock.now += 290

    ada = await world.confirmed()
    assert (await ada.call("PATCH", "/api/profile", {"city": "Ockham"})).status == 200

    strict = await make_world(CLOCK_LEEWAY_SECONDS="0")
    strict.tenant_clock.now += 30
    assert (await (await strict.front_end()).sign_in()).startswith("/problem?type=")


async def test_L4_beyond_it_the_resource_api_says_that_clocks_differ_and_nobody_is_signed_out(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(CLOCK_LEEWAY_SECONDS="600")
    ada = await world.confirmed()
    world.tenant_clock.now += 300
    await end_of_token(world, ada, 0, Resource("edit", EDIT))

    refused = await ada.call("PATCH", "/api/profile", {"city": "Ockham"})

    assert (refused.status, refused.slug) == (500, "misconfigured")
    assert differences(caplog, TOKENS) == [pytest.approx(-300, abs=10)] * 2, "of the gateway, and of the API"
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True


@pytest.mark.parametrize("ahead", [LEEWAY - 2, 2 - LEEWAY])
async def test_L4_the_age_of_a_confirmation_is_judged_with_the_same_leeway(
    make_world: MakeWorld, ahead: int
) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="60", api_MAX_AGE_SECONDS="60")
    await world.admin("PUT", "/settings", {"optional_claims": {API: ["auth_time"], GATEWAY: ["auth_time"]}})
    world.tenant_clock.now += ahead

    ada = await world.confirmed()

    assert (await ada.call("PATCH", "/api/profile", {"city": "Ockham"})).status == 200


def differences(caplog: pytest.LogCaptureFixture, whose: str) -> list[int]:
    """Return the seconds by which the log says that clocks differ."""
    told = [vars(record)["event_fields"] for record in caplog.records if record.message == "clocks-differ"]
    return [one["seconds"] for one in told if one["whose"] == whose]


@pytest.mark.parametrize("ahead", [130, 600, 86_400, -600, -7200, -86_400])
async def test_L3_a_refresh_with_the_authoritys_clock_far_off_keeps_the_session_and_says_so(
    world: World, caplog: pytest.LogCaptureFixture, ahead: int
) -> None:
    ada = await world.signed_in()
    world.tenant_clock.now += ahead
    for number in (1, 2):  # the second with what the first brought
        await end_of_token(world, ada, 0)
        caplog.clear()

        assert (await ada.call("GET", "/api/profile")).status == 200
        assert (await ada.call("GET", "/api/profile")).status == 200
        assert await world.asked("token.refresh_token") == number, "the token is good for as long as was said"
        if number == 1:
            (apart,) = differences(caplog, TOKENS)
            assert apart == pytest.approx(-ahead, abs=10)

    assert await world.asked("token.refresh_token") == 2
    drawn = world.app[METRICS].drawn().decode()
    (shown,) = re.findall(r'^stepup_clock_difference_seconds\{clock="tokens"\} (\S+)$', drawn, re.MULTILINE)
    assert float(shown) == pytest.approx(-ahead, abs=10)


@pytest.mark.parametrize("ahead", [130, 600, 86_400, -7200, -86_400])
async def test_L3_a_sign_in_with_clocks_too_far_apart_is_nobodys_fault_and_the_log_says_by_how_much(
    world: World, caplog: pytest.LogCaptureFixture, ahead: int
) -> None:
    ada = await world.front_end()
    world.tenant_clock.now += ahead

    assert (await ada.sign_in()).startswith("/problem?type=misconfigured&")

    (problem,) = [vars(one)["event_fields"] for one in caplog.records if one.message == "problem"]
    sentence = problem["log_detail"]
    assert "clocks differ" in sentence
    assert "GATEWAY_CLOCK_LEEWAY_SECONDS forgives 120 s" in sentence
    assert differences(caplog, "the authority") == [pytest.approx(-ahead, abs=10)]


async def test_L3_a_step_up_with_clocks_too_far_apart_keeps_the_session(world: World) -> None:
    ada = await world.signed_in()
    world.tenant_clock.now += 600

    way = await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")

    assert way.startswith("/problem?type=misconfigured&")
    assert (await ada.call("GET", "/api/profile")).status == 200


SHAPES: dict[str, Shape] = {
    "signed by a stranger": signed_by_a_stranger,
    "signed by the wrong algorithm": hs256,
    "unsigned": unsigned,
    "for another client": saying(aud="another"),
    "for nobody": saying(aud=None),
    "of another party": saying(azp="another"),
    "without an end": saying(exp=None),
    "with an end in words": saying(exp="tomorrow"),
    "without a subject": saying(sub=None),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
async def test_L3_a_refreshed_id_token_that_is_refused_signs_nobody_out(valkey: str, shape: Shape) -> None:
    async with plain_world(valkey, SESSION_IDLE_SECONDS="28800") as world:
        op = world.provider
        assert await world.sign_in() == "/edit"
        op.shape = lambda claims: shape(op, claims)
        op.rotates = (
            shape is not SHAPES["without a subject"]
        )  # MSAL loses that answer, and all that was in it
        world.clock.now += 3600

        for _ in range(3):
            answer = await world.person.call("GET", "/api/profile")
            assert (answer.status, answer.slug) == (503, "authority-unavailable")
            assert 1 <= int(answer.headers["Retry-After"]) <= REFUSAL_SECONDS
        assert op.requests["refresh_token"] == 1, "it is remembered for some seconds"
        assert op.requests["me"] == 0, "the token that came with it was used"
        assert await world.is_signed_in()

        op.shape = None
        world.clock.now += REFUSAL_SECONDS
        assert (await world.person.call("GET", "/api/profile")).status == 200


@pytest.mark.parametrize("claim", [{"sub": "another"}, {"iss": "https://another.example"}])
async def test_L3_only_another_person_ends_the_session(valkey: str, claim: dict[str, str]) -> None:
    async with plain_world(valkey, SESSION_IDLE_SECONDS="28800") as world:
        op = world.provider
        assert await world.sign_in() == "/edit"
        op.shape = lambda claims: saying(**claim)(op, claims)
        world.clock.now += 3600

        answer = await world.person.call("GET", "/api/profile")

        assert (answer.status, answer.body["reason"]) == (401, "revoked")
        assert op.requests["me"] == 0
        assert not await world.is_signed_in()
