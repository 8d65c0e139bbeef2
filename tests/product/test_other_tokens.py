"""Tokens as other providers make them, through the real callback: W2, W5, W7, W8, W13."""

import functools
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.tokens.token_records import REFUSAL_SECONDS
from tests.stage.id_token_shapes import hs256, saying
from tests.stage.other_keys import OtherKey
from tests.stage.plain_provider import CLIENT, Key, rsa_key
from tests.stage.plain_world import PlainWorld, plain_world, problem_of


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway whose authority is the plain provider."""
    async with plain_world(valkey, SESSION_IDLE_SECONDS="7200") as world:
        yield world


def say(world: PlainWorld, **claims: Any) -> None:
    """Let ID tokens have these claims from now on."""
    world.provider.shape = functools.partial(saying(**claims), world.provider)


def sign_by(world: PlainWorld, key: Any, *listed: str) -> None:
    """Let the provider sign with a key of another family, and publish no other."""
    world.provider.signing = key
    world.provider.jwks = [key.jwk()]
    world.provider.metadata = {"id_token_signing_alg_values_supported": list(listed)}


async def refreshed(world: PlainWorld) -> Any:
    """Ask for the profile when the access token has ended."""
    world.clock.now += 3600
    return await world.person.call("GET", "/api/profile")


@pytest.mark.parametrize(
    "odd",
    [
        {"ver": 1, "amr": ["pwd"], "idp": "00o1"},
        {"ver": "1.0", "auth_time": "2026-11-26T09:00:00Z", "scp": ["openid"], "appid": 7},
        {"sid": 7, "acr": 1, "amr": "pwd", "tid": ["x"]},
        {"aud": [CLIENT], "azp": CLIENT},
        {"auth_time": 0, "nbf": 0, "typ": "ID"},
    ],
    ids=str,
)
async def test_W2_people_sign_in_and_stay_whatever_their_provider_says_beside_it(
    world: PlainWorld, odd: dict[str, Any]
) -> None:
    say(world, **odd)

    assert await world.sign_in() == "/edit"
    assert (await refreshed(world)).body["displayName"] == "Ada Lovelace"
    claims = (await world.person.call("GET", "/api/session/claims")).body["claims"]
    assert {name: claims[name] for name in odd} == odd


async def test_W2_times_with_a_fraction_sign_people_in_and_out(valkey: str) -> None:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1") as world:
        now = int(world.clock()) + 0.5
        say(world, iat=now, nbf=now, exp=now + 600, auth_time=now)
        assert await world.sign_in() == "/edit"

        token = world.provider.logout_token(iat=now, exp=now + 120, ver=1)

        assert (await world.sign_out_here(token)).status == 200
        assert not await world.is_signed_in()


BESIDE = "322563454532198402"


async def test_W13_another_audience_is_refused_until_an_operator_trusts_it(valkey: str) -> None:
    async with plain_world(valkey) as world:
        say(world, aud=[CLIENT, BESIDE], azp=CLIENT)
        assert problem_of(await world.sign_in()) == "sign-in-failed"
    settings = {"BACKCHANNEL_LOGOUT": "1", "SESSION_IDLE_SECONDS": "7200"}
    async with plain_world(valkey, TRUSTED_AUDIENCES=f"another, {BESIDE}", **settings) as world:
        say(world, aud=[CLIENT, BESIDE], azp=CLIENT)
        assert await world.sign_in() == "/edit"
        assert (await refreshed(world)).status == 200
        assert (await world.sign_out_here(world.provider.logout_token(aud=[BESIDE, CLIENT]))).status == 200
        assert not await world.is_signed_in()
        for odd in ({"aud": [CLIENT, BESIDE, "x"]}, {"azp": BESIDE}, {"azp": None}, {"aud": [BESIDE]}):
            say(world, **{"aud": [CLIENT, BESIDE], "azp": CLIENT, **odd})
            assert problem_of(await world.sign_in()) == "sign-in-failed"


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "ES384", "ES512", "EdDSA", "RS512"])
async def test_W7_a_provider_may_sign_by_another_family_than_rsa(valkey: str, algorithm: str) -> None:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1", SESSION_IDLE_SECONDS="7200") as world:
        sign_by(world, OtherKey("other", algorithm), algorithm)

        assert await world.sign_in() == "/edit"
        assert (await refreshed(world)).status == 200
        assert (await world.sign_out_here(world.provider.logout_token())).status == 200
        assert not await world.is_signed_in()


@pytest.mark.parametrize("listed", [["RS256"], ["HS256"], ["none", "ES256K"]])
async def test_W7_nobody_is_told_to_try_again_where_no_key_will_ever_do(
    world: PlainWorld, caplog: pytest.LogCaptureFixture, listed: list[str]
) -> None:
    sign_by(world, OtherKey("other", "ES256"), *listed)

    assert problem_of(await world.sign_in()) == "misconfigured"
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "no key that verifies RS256" in logged or "we accept none of it" in logged


async def test_W7_an_authority_that_shares_a_secret_with_us_is_misconfigured(world: PlainWorld) -> None:
    world.provider.metadata = {"id_token_signing_alg_values_supported": ["HS256"]}
    world.provider.jwks = []
    world.provider.shape = functools.partial(hs256, world.provider)

    assert problem_of(await world.sign_in()) == "misconfigured"


async def test_W7_keys_that_will_never_do_end_no_session(world: PlainWorld) -> None:
    await world.sign_in()
    sign_by(world, OtherKey("other", "ES256K"), "ES256K")

    for _ in range(2):
        answer = await refreshed(world)
        assert (answer.status, answer.slug) == (500, "misconfigured")
        assert await world.is_signed_in()
    assert problem_of(await world.sign_in()) == "misconfigured"


async def test_W5_a_key_replaced_under_its_name_stops_no_sign_in_and_ends_no_session(
    world: PlainWorld,
) -> None:
    await world.sign_in()
    sign_by(world, Key("key-1", rsa_key(5)), "RS256")

    assert (await refreshed(world)).body["displayName"] == "Ada Lovelace"
    assert await world.sign_in() == "/edit"
    assert world.provider.requests["keys"] == 2


async def test_W5_a_session_is_spared_until_fresh_keys_refuse_its_token_too(
    world: PlainWorld,
) -> None:
    await world.sign_in()
    world.clock.now += 3600
    world.provider.signing = Key("key-1", rsa_key(5))
    world.provider.metadata = {"jwks_uri": "https://op.example/away"}  # what is there is no key set
    spared = await world.person.call("GET", "/api/profile")
    assert (spared.status, spared.slug) == (503, "authority-unavailable")
    assert await world.is_signed_in()
    assert world.provider.requests["me"] == 0, "the token that came with it was used"

    world.provider.jwks = [world.provider.signing.jwk()]
    world.provider.metadata = {}
    assert await world.is_signed_in()


async def test_W5_a_token_that_fresh_keys_refuse_is_not_used_and_ends_no_session(world: PlainWorld) -> None:
    await world.sign_in()
    right, world.provider.signing = world.provider.signing, Key("key-1", rsa_key(5))

    answer = await refreshed(world)

    assert (answer.status, answer.slug) == (503, "authority-unavailable")
    assert world.provider.requests["me"] == 0, "the token that came with it was used"
    assert world.provider.requests["keys"] == 2
    world.provider.signing = right
    world.clock.now += REFUSAL_SECONDS
    assert (await world.person.call("GET", "/api/profile")).status == 200


async def test_W5_forged_logout_tokens_do_not_make_us_call_the_authority(valkey: str) -> None:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1") as world:
        await world.sign_in()
        forger = Key("key-1", rsa_key(6))
        for _ in range(20):
            forged = forger.token(world.provider.logout_claims(), typ="logout+jwt")
            assert (await world.sign_out_here(forged)).status == 400
        assert world.provider.requests["keys"] == 2
        assert await world.is_signed_in()


async def test_W8_a_person_of_two_hundred_groups_signs_in_and_stays(world: PlainWorld) -> None:
    groups = [f"3f6c2a58-5d0b-4c7e-9a41-{number:012d}" for number in range(200)]
    say(world, groups=groups, wids=groups[:60])

    assert await world.sign_in() == "/edit"
    assert (await refreshed(world)).status == 200
    assert (await world.person.call("GET", "/api/session/claims")).body["claims"]["groups"] == groups


async def test_W8_an_access_token_of_fourteen_kilobytes_is_kept_and_sent(world: PlainWorld) -> None:
    world.provider.answer = {"access_token": "x" * 14_000}

    assert await world.sign_in() == "/edit"
    assert (await world.person.call("GET", "/api/profile")).body["displayName"] == "Ada Lovelace"


async def test_S40_a_fresh_authentication_is_not_proven_by_what_is_no_time(world: PlainWorld) -> None:
    world.provider.demand = (
        'Bearer error="insufficient_user_authentication", acr_values="urn:mfa", max_age=300'
    )
    await world.sign_in()
    edit = {"city": "Paris"}
    first = (await world.person.call("PATCH", "/api/profile", edit)).body["redirect"]
    await world.sent(await world.answered(first))
    redirect = (await world.person.call("PATCH", "/api/profile", edit)).body["redirect"]
    now = int(world.clock())

    for told, outcome in (
        ("2026-11-26T09:00:00Z", "/problem"),
        (now + 3600, "/problem"),
        (now - 421.5, "/problem"),
        (True, "/problem"),
        (now - 299.5, "/"),
    ):
        say(world, auth_time=told)
        assert (await world.sent(await world.answered(redirect))).split("?")[0] == outcome


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
