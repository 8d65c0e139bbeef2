"""A release opens what the release before left in Redis: nobody is signed out, and nothing on its way is lost (R27)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest

from local_tenant.signing import SigningKey, generate_key
from tests.stage.frozen import FROZEN, SESSION, Returning, edit_service, restore, tenant_key
from tests.stage.other_front_end import ADA
from tests.stage.tenant import GATEWAY, ISSUER
from tests.stage.world import World

Returns = Callable[..., Awaitable[Returning]]


@pytest.fixture
def signing_keys() -> Callable[[], SigningKey]:
    """Let the tenant sign with the key whose tokens the records hold; the next key it publishes is a new one."""
    stock = iter([tenant_key()])
    return lambda: next(stock, None) or generate_key()


@pytest.fixture
async def returns(make_world: Callable[..., Awaitable[World]]) -> Returns:
    """Give the way to bring a file's records back into Redis, and its person back to the gateway of today."""

    async def bring(name: str, **settings: str) -> Returning:
        left = json.loads((FROZEN / f"{name}.json").read_text())
        world = await make_world(
            PUBLIC_URL=left["public_url"],
            sealed_with=left["sealing_key"],
            BACKCHANNEL_LOGOUT="1",
            **settings,
        )
        world.clock.now = world.tenant_clock.now = left["made_at"]
        await restore(world.redis, left["records"])
        cookies = {**left.get("flow", {}), **({SESSION: left["session"]} if "session" in left else {})}
        return Returning(world, left, cookies, (await world.front_end()).visitor)

    return bring


async def test_R27_a_session_of_the_release_before_is_signed_in_and_its_token_still_serves(
    returns: Returns,
) -> None:
    ada = await returns("signed_in")

    session = (await ada.ask("GET", "/api/session")).body
    assert (session["authenticated"], session["user"]["username"]) == (True, ADA[0])
    assert session["access"] == {"profile.edit": "step-up"}
    profile = await ada.ask("GET", "/api/profile")
    assert (profile.status, profile.body["displayName"]) == (200, "Ada Lovelace")
    assert await ada.refreshes() == 0, "the token in the record was used"
    (listed,) = (await ada.ask("GET", "/api/sessions")).body["sessions"]
    assert (listed["device"], listed["current"]) == ("Chrome on Linux", True)


async def test_R27_a_step_up_that_the_release_before_demanded_is_begun_and_its_parked_edit_applied(
    returns: Returns,
) -> None:
    ada = await returns("refused")

    begun = await ada.ask("GET", f"{ada.left['redirect']}&return_to=/check")
    assert begun.status == 303
    assert "capolids" in begun.headers["Location"], "the record's claims go to the authority"
    assert await ada.confirm(await ada.visitor.open(begun.headers["Location"])) == "/check"

    await _apply_parked(ada)
    assert (await _profile_at_tenant(ada))["city"] == "Paris"


async def test_R27_a_step_up_that_the_release_before_began_is_completed_and_its_parked_edit_applied(
    returns: Returns,
) -> None:
    ada = await returns("stepping_up")

    assert await ada.confirm(await ada.visitor.open(ada.left["authorize"])) == "/check"

    await _apply_parked(ada)
    assert (await _profile_at_tenant(ada))["city"] == "Paris"


async def test_R27_a_sign_in_that_the_release_before_began_is_completed(returns: Returns) -> None:
    ada = await returns("signing_in")

    assert await ada.confirm(await ada.visitor.open(ada.left["authorize"])) == "/edit"

    assert (await ada.ask("GET", "/api/session")).body["user"]["username"] == ADA[0]


async def test_R27_what_the_release_before_saved_is_shown_and_not_saved_again(returns: Returns) -> None:
    ada = await returns("confirmed")
    key = {"Idempotency-Key": ada.left["idempotency_key"]}

    shown = (await ada.ask("GET", "/api/profile")).body
    assert shown["jobTitle"] == "Countess", "saved a moment ago; this tenant says Analyst"
    again = await ada.ask("PATCH", "/api/profile", ada.left["idempotency_body"], headers=key)
    assert (again.status, again.body) == (200, ada.left["idempotency_answer"])
    other = await ada.ask("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert (await _profile_at_tenant(ada))["jobTitle"] == "Analyst", "answered from the record"


async def test_R27_a_confirmation_of_the_release_before_still_edits(returns: Returns) -> None:
    edits: list[Any] = []
    async with edit_service(edits) as url:
        ada = await returns("confirmed", RESOURCE_API_URL=url)
        assert (await ada.ask("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}

        # What was saved in the last minute is over then, and this tenant says what the edit was parked on.
        ada.world.forward(61)
        await _apply_parked(ada)

        assert edits == [{"city": "Paris", "state": None}]
        assert await ada.refreshes() == 0, "both tokens in the record were used"


async def test_R27_S30_confirmations_in_vain_that_the_release_before_counted_are_counted_on(
    returns: Returns,
) -> None:
    ada = await returns("looping")
    refusal = {"aadsts": 50076, "times": 2}
    assert (await ada.ask("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}

    await ada.world.admin("PUT", "/faults/token.on_behalf_of", refusal)
    third = await ada.ask("PATCH", "/api/profile", {"city": "Rome"})
    assert (third.status, third.slug) == (403, "step-up-required")
    begun = await ada.ask("GET", f"{third.body['redirect']}&return_to=/check")
    assert await ada.confirm(await ada.visitor.open(begun.headers["Location"])) == "/check"
    looped = await ada.ask("PATCH", "/api/profile", {"city": "Rome"})

    assert (looped.status, looped.slug) == (429, "step-up-loop")


@pytest.mark.parametrize(
    "name, cookie, reason", [("confirmed", "before", "rotated"), ("signed_out", "session", "signed-out")]
)
async def test_R27_why_the_release_before_ended_a_session_is_still_known(
    returns: Returns, name: str, cookie: str, reason: str
) -> None:
    person = await returns(name)
    person.cookies[SESSION] = person.left[cookie]

    refused = await person.ask("GET", "/api/profile")

    assert (refused.status, refused.slug) == (401, "sign-in-required")
    assert refused.body["reason"] == reason


async def test_R27_a_sign_out_elsewhere_finds_a_session_of_the_release_before_by_its_sid(
    returns: Returns,
) -> None:
    ada = await returns("signed_in")
    sid, ada.cookies = ada.left["sid"], {}

    await ada.ask("GET", f"/auth/frontchannel-logout?iss={ISSUER}&sid={sid}")

    assert await _reason(ada) == "signed-out"


async def test_R27_a_sign_out_elsewhere_finds_a_session_of_the_release_before_by_its_subject(
    returns: Returns,
) -> None:
    ada = await returns("signed_in")
    now, key = int(ada.left["made_at"]), tenant_key()
    claims = {
        "iss": ISSUER,
        "aud": GATEWAY,
        "iat": now,
        "exp": now + 60,
        "jti": "one",
        "sub": ada.left["sub"],
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    token = jwt.encode(claims, key.private, "RS256", {"kid": key.kid, "typ": "logout+jwt"})

    answer = await ada.ask("POST", "/auth/backchannel-logout", form={"logout_token": token})

    assert answer.status == 200, answer.text
    assert await _reason(ada) == "signed-out"


async def _apply_parked(ada: Returning) -> None:
    parked = await ada.ask("GET", f"/api/parked-edits/{ada.left['parked']}")
    assert parked.body["changes"] == [
        {"field": "city", "from": "London", "to": "Paris"},
        {"field": "state", "from": "England", "to": None},
    ]
    saved = await ada.ask("POST", f"/api/parked-edits/{ada.left['parked']}")
    assert (saved.status, saved.body["city"]) == (200, "Paris")
    assert (await ada.ask("GET", f"/api/parked-edits/{ada.left['parked']}")).status == 404, "once"


async def _profile_at_tenant(ada: Returning) -> Any:
    return await ada.world.admin("GET", f"/people/{ADA[0]}/profile")


async def _reason(ada: Returning) -> Any:
    ada.cookies[SESSION] = ada.left["session"]
    return (await ada.ask("GET", "/api/profile")).body["reason"]
