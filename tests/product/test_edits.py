"""Edits: conditional, repeatable, parked, and true about what became of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.app_keys import VAULT
from gateway.profile.recently_saved import RECENT_SECONDS
from gateway.proxy.parked_requests import PARKED_SECONDS
from tests.stage.invariants import violations
from tests.stage.other_front_end import ADA, GRACE
from tests.stage.world import World

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["11111111-2222-3333-4444-555555555555"]}}}'


@pytest.fixture(autouse=True)
async def _the_store_stays_clean(world: World) -> AsyncIterator[None]:
    """Look through the store at the end of every test."""
    yield
    assert await violations(world.redis, world.app[VAULT]) == []


async def test_U21_an_edit_answers_with_the_profile_as_it_now_is(world: World) -> None:
    ada = await world.confirmed()

    saved = await ada.call("PATCH", "/api/profile", {"jobTitle": "Countess", "state": None})

    assert (saved.body["jobTitle"], saved.body["state"]) == ("Countess", None)
    read = await ada.call("GET", "/api/profile")
    assert (read.body, read.headers["ETag"]) == (saved.body, saved.headers["ETag"])


@pytest.mark.parametrize(
    "patch, field, code",
    [
        ({"mail": "ada@evil.example"}, "mail", "unknown_field"),
        ({"userPrincipalName": "root"}, "userPrincipalName", "unknown_field"),
        ({"accountEnabled": False}, "accountEnabled", "unknown_field"),
        ({"__proto__": {}}, "__proto__", "unknown_field"),
        ({"city": 7}, "city", "wrong_type"),
        ({"city": ["Rome"]}, "city", "wrong_type"),
        ({"displayName": ""}, "displayName", "required"),
        ({"displayName": None}, "displayName", "required"),
        ({"givenName": "x" * 65}, "givenName", "too_long"),
        ({"postalCode": "x" * 41}, "postalCode", "too_long"),
        ({"city": "\U0001f600" * 65}, "city", "too_long"),
        ({"preferredLanguage": "Klingonese!"}, "preferredLanguage", "invalid_value"),
    ],
)
async def test_S44_what_may_not_be_changed_is_refused_and_nothing_is_sent(
    world: World, patch: dict[str, object], field: str, code: str
) -> None:
    ada = await world.signed_in()

    answer = await ada.call("PATCH", "/api/profile", patch)

    assert (answer.status, answer.slug) == (422, "invalid-profile-patch")
    assert [(error["field"], error["code"]) for error in answer.body["errors"]] == [(field, code)]
    assert await world.asked("token.refresh_token") == 0


async def test_U21_if_match_lets_an_edit_through_only_where_nothing_changed(world: World) -> None:
    ada = await world.confirmed()
    etag = (await ada.call("GET", "/api/profile")).headers["ETag"]
    await ada.call("PATCH", "/api/profile", {"city": "Turin"})

    stale = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers={"If-Match": etag})
    assert (stale.status, stale.slug) == (412, "profile-changed")
    assert stale.body["profile"]["city"] == "Turin"

    fresh = {"If-Match": stale.headers["ETag"]}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=fresh)).status == 200
    anything = {"If-Match": "*"}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Pisa"}, headers=anything)).status == 200
    weak = {"If-Match": f"W/{stale.headers['ETag']}"}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Bari"}, headers=weak)).status == 412
    wrong = await ada.call("PATCH", "/api/profile", {"city": "Bari"}, headers={"If-Match": "no quotes"})
    assert (wrong.status, wrong.slug) == (400, "bad-request")


async def test_U21_an_idempotency_key_writes_once(world: World) -> None:
    ada = await world.confirmed()
    key = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}

    first = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
    again = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
    other = await ada.call("PATCH", "/api/profile", {"city": "Oslo"}, headers=key)

    assert (again.status, again.body) == (200, first.body)
    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert await world.asked("graph.patch_me") == 1


async def test_the_same_key_at_the_same_time_writes_once(world: World) -> None:
    ada = await world.confirmed()
    key = {"Idempotency-Key": "k"}
    await world.admin("PUT", "/faults/graph.patch_me", {"delay_ms": 300, "times": 1})

    answers = await asyncio.gather(
        *(ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key) for _ in range(5))
    )

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert await world.asked("graph.patch_me") == 1


async def test_a_key_whose_edit_needed_step_up_may_be_used_again(world: World) -> None:
    ada = await world.signed_in()
    key = {"Idempotency-Key": "k"}
    refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)
    await ada.step_up(f"{refused.body['redirect']}&return_to=/check")

    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=key)).status == 200


async def test_a_parked_edit_is_applied_once(world: World) -> None:
    ada = await world.signed_in()
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body
    path = f"/api/parked-edits/{refused['parked_edit']['id']}"
    await ada.step_up(f"{refused['redirect']}&return_to=/check")
    assert await world.asked("graph.patch_me") == 0, "nothing replays by itself"

    answers = await asyncio.gather(*(ada.call("POST", path) for _ in range(4)))

    assert sorted(answer.status for answer in answers) == [200, 404, 404, 404]
    assert await world.asked("graph.patch_me") == 1
    assert (await ada.call("GET", path)).status == 404


async def test_a_parked_edit_can_be_dropped(world: World) -> None:
    ada = await world.signed_in()
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body
    path = f"/api/parked-edits/{refused['parked_edit']['id']}"

    assert (await ada.call("DELETE", path)).status == 204
    assert (await ada.call("DELETE", path)).status == 404
    assert (await ada.call("POST", path)).slug == "not-found"


async def test_a_parked_edit_belongs_to_its_person_and_session(world: World) -> None:
    ada, grace, elsewhere = await world.signed_in(), await world.front_end(), await world.signed_in()
    await grace.sign_in(GRACE)
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body
    path = f"/api/parked-edits/{refused['parked_edit']['id']}"

    for stranger in (grace, elsewhere):
        for method in ("GET", "POST", "DELETE"):
            assert (await stranger.call(method, path)).status == 404
    assert (await ada.call("GET", path)).status == 200


async def test_a_parked_edit_does_not_outlive_its_minutes_or_the_sign_out(world: World) -> None:
    ada = await world.signed_in()
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body
    path = f"/api/parked-edits/{refused['parked_edit']['id']}"
    world.forward(PARKED_SECONDS - 1)
    assert (await ada.call("GET", path)).status == 200
    world.forward(2)
    assert (await ada.call("GET", path)).status == 404

    again = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body["parked_edit"]["id"]
    await ada.call("POST", "/auth/sign-out")
    await ada.sign_in()
    assert (await ada.call("GET", f"/api/parked-edits/{again}")).status == 404


async def test_a_parked_edit_dies_when_somebody_signs_in_in_its_browser(world: World) -> None:
    ada = await world.signed_in()
    parked = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body["parked_edit"]["id"]

    for who in (GRACE, ADA):
        ada.visitor = (await world.front_end()).visitor  # the authority remembers nobody here
        await ada.sign_in(who)
        assert (await ada.call("GET", "/api/session")).body["user"]["username"] == who[0]
        assert (await ada.call("GET", f"/api/parked-edits/{parked}")).slug == "not-found", who
    assert await world.asked("graph.patch_me") == 0


async def test_a_parked_edit_survives_a_restarted_gateway_and_another_tab(world: World) -> None:
    ada = await world.signed_in()
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).body
    other_tab = (await ada.call("PATCH", "/api/profile", {"surname": "King"})).body
    await ada.step_up(f"{refused['redirect']}&return_to=/check")

    cookie = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    restarted = await world.new_gateway(PORT="1")
    ada.gateway_url = restarted.gateway_url
    for parked in (refused, other_tab):
        path = f"/api/parked-edits/{parked['parked_edit']['id']}"
        assert (await ada.call("POST", path, headers=cookie)).status == 200


async def test_a_parked_edit_that_meets_a_change_made_elsewhere_is_not_applied(world: World) -> None:
    ada = await world.signed_in()
    elsewhere = await world.confirmed()
    etag = (await ada.call("GET", "/api/profile")).headers["ETag"]
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers={"If-Match": etag})).body
    await elsewhere.call("PATCH", "/api/profile", {"city": "Oslo"})
    await ada.step_up(f"{refused['redirect']}&return_to=/check")

    shown = await ada.call("GET", f"/api/parked-edits/{refused['parked_edit']['id']}")
    assert shown.body["changes"] == [{"field": "city", "from": "Oslo", "to": "Rome"}]
    met = await ada.call("POST", f"/api/parked-edits/{refused['parked_edit']['id']}")

    assert (met.status, met.slug, met.body["profile"]["city"]) == (412, "profile-changed", "Oslo")
    gone = await ada.call("POST", f"/api/parked-edits/{refused['parked_edit']['id']}")
    assert gone.slug == "not-found", "the person was shown what changed, and decides anew"


async def test_B7_a_replica_that_lags_never_shows_old_data_after_a_success(world: World) -> None:
    ada = await world.confirmed()
    await world.admin("PUT", "/settings", {"graph_lag_seconds": RECENT_SECONDS - 5})

    await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (await ada.call("GET", "/api/profile")).body["city"] == "Rome"
    world.forward(RECENT_SECONDS + 1)
    assert (await ada.call("GET", "/api/profile")).body["city"] == "Rome", "by now the replica has it"


async def test_R18_an_edit_whose_answer_is_lost_is_told_truthfully(world: World) -> None:
    ada = await world.confirmed()
    await world.admin("PUT", "/faults/graph.patch_me", {"status": 500, "times": 9})

    failed = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (failed.status, failed.slug) == (502, "resource-unavailable")
    assert failed.body["outcome"] == "unknown", "the API looked, but what is not shown yet may be shown later"
    await world.admin("DELETE", "/faults")
    held = (await world.admin("GET", f"/people/{ADA[0]}/profile"))["city"]
    assert held == "London"


async def test_three_step_ups_in_vain_end_in_an_explanation(world: World) -> None:
    ada = await world.signed_in()
    for _ in range(3):
        await world.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "times": 1})
        refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"})
        assert (refused.status, refused.slug) == (403, "step-up-required")
        await ada.step_up(f"{refused.body['redirect']}&return_to=/check")
        world.forward(15)
    await world.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "times": 1})

    looped = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (looped.status, looped.slug) == (429, "step-up-loop")
    assert "administrator" in looped.body["detail"]
    assert int(looped.headers["Retry-After"]) > 0
    world.forward(301)
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200


async def test_A11_a_challenge_from_behind_the_api_travels_to_the_authority_and_nowhere_else(
    world: World,
) -> None:
    ada = await world.confirmed()
    await world.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "claims": CLAIMS, "times": 1})

    refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert "capolids" not in refused.text
    assert "claims" not in refused.body["redirect"]
    redirect = await ada.navigate(refused.body["redirect"])
    assert redirect.headers["Location"].startswith(world.tenant_url)
    assert "capolids" in redirect.headers["Location"], "the authority must see what was demanded"
