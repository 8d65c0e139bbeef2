"""What MSAL does to a server that trusts it, and does not do to this one: the real MSAL, over real sockets."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.tokens.token_records import REFUSAL_SECONDS
from tests.product.test_tokens import end_of_token
from tests.stage.other_front_end import ADA, GRACE
from tests.stage.plain_world import PlainWorld, plain_world, problem_of
from tests.stage.witnesses import records
from tests.stage.world import World


@pytest.fixture
async def plain(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway in front of the plain provider."""
    async with plain_world(valkey) as plain:
        yield plain


async def test_S36_C7_a_good_answer_with_retry_after_is_given_to_nobody_else(world: World) -> None:
    # MSAL's throttle keys a code's redemption without the code, and replays it for as long as the answer asks.
    await world.admin("PUT", "/faults/token.authorization_code", {"status": 200, "retry_after": 600})
    await world.admin("PUT", "/faults/token.refresh_token", {"status": 200, "retry_after": 600})

    for who, name in ((ADA, "Ada Lovelace"), (GRACE, "Grace Hopper")):
        person = await world.front_end()
        assert await person.sign_in(who) == "/edit"
        await end_of_token(world, person, 0)
        assert (await person.call("GET", "/api/profile")).body["displayName"] == name
        assert (await person.call("GET", "/api/session")).body["user"]["name"] == name
    assert await world.asked("token.authorization_code") == 2
    assert await world.asked("token.refresh_token") == 2


async def test_C7_a_refusal_that_an_administrator_mended_is_over_at_once(world: World) -> None:
    # MSAL would replay a 400 for a minute of real time; ours is remembered for seconds of the clock that is moved here.
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("PUT", "/faults/token.refresh_token", {"aadsts": 65001, "times": 1})
    assert (await ada.call("GET", "/api/profile")).slug == "misconfigured"

    world.forward(REFUSAL_SECONDS + 1)

    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_S3_C5_an_answer_without_an_id_token_brings_nobody_in(plain: PlainWorld) -> None:
    # MSAL checks the nonce only of an ID token that is there.
    plain.provider.answer = {"id_token": None}

    assert problem_of(await plain.sign_in()) == "sign-in-failed"

    assert not await plain.is_signed_in()
    assert records(await plain.keys()) == []


@pytest.mark.parametrize("answer", [{"refresh_in": 1}, {"expires_in": 301}, {"ext_expires_in": 1}], ids=str)
async def test_C6_msal_s_own_ideas_of_when_to_refresh_are_not_followed(
    plain: PlainWorld, answer: dict[str, Any]
) -> None:
    plain.provider.answer = answer
    assert await plain.sign_in() == "/edit"

    for _ in range(3):
        assert (await plain.person.call("GET", "/api/profile")).status == 200

    assert plain.provider.requests["refresh_token"] == 0


async def test_C9_a_person_without_client_info_is_found_again(plain: PlainWorld) -> None:
    # Without it MSAL calls the account by the ID token's `sub`; two accounts in a cache would be one too many.
    plain.provider.answer = {"expires_in": 20}
    assert await plain.sign_in() == "/edit"

    for number in range(1, 4):
        plain.clock.now += 20
        assert (await plain.person.call("GET", "/api/profile")).status == 200
        assert plain.provider.requests["refresh_token"] == number


async def test_C2_proxies_and_certificates_of_the_environment_are_not_believed(
    plain: PlainWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere")

    assert await plain.sign_in() == "/edit"


async def test_C1_a_client_per_use_asks_for_the_metadata_once(plain: PlainWorld) -> None:
    for _ in range(3):
        assert await plain.sign_in() == "/edit"

    assert plain.provider.requests["discovery"] == 1
