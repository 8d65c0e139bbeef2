"""What the resource API records (A6, U37): who changed what, and whose token was refused, and why."""

import json
from collections.abc import AsyncIterator, Callable

import pytest

from local_tenant.signing import SigningKey
from tests.stage.tenant import GATEWAY, claims_of
from tests.stage.trails import ReadTrail
from tests.unit.resource_api.stage import Stage, running_api


@pytest.fixture
async def stage(signing_keys: Callable[[], SigningKey], trail: ReadTrail) -> AsyncIterator[Stage]:
    """Run the API with that trail."""
    async with running_api(signing_keys, trail=trail.trail) as stage:
        yield stage


async def test_A6_U37_an_edit_says_who_by_which_application_and_which_fields(
    stage: Stage, trail: ReadTrail
) -> None:
    token = await stage.token()
    answer = await stage.patch({"city": "Canary-Turin", "state": None})

    (line,) = trail.new()

    assert answer.status == 200
    assert (line["event"], line["outcome"], line["fields"]) == (
        "sensitive_update",
        "success",
        ["city", "state"],
    )
    assert (line["person"], line["client"]) == (claims_of(token)["oid"], GATEWAY)
    assert (line["address"], line["route"]) == ("127.0.0.1", "PATCH /profile")
    assert not {"Canary-Turin", token} & set(json.dumps(line).split('"'))


async def test_A6_a_refused_token_says_why_and_nobody(stage: Stage, trail: ReadTrail) -> None:
    await stage.patch({"city": "Turin"}, token=stage.forged(exp=1))
    await stage.patch({"city": "Turin"}, token=stage.forged(aud="another"))
    await stage.send("PATCH", "/profile")

    lines = trail.new()

    assert [(line["fact"], line["event"], line["reason"]) for line in lines] == [
        ("access-token", "authn_login_fail", "invalid-token")
    ] * 3
    assert ["exp" in line["detail"] or "expired" in line["detail"] for line in lines] == [True, False, False]
    assert not any("person" in line for line in lines)


async def test_A6_a_token_that_is_not_enough_says_whose_it_is(stage: Stage, trail: ReadTrail) -> None:
    await stage.patch({"city": "Turin"}, token=stage.forged(scp="Another.Scope"))

    (line,) = trail.new()

    assert (line["fact"], line["event"], line["reason"]) == ("access", "authz_fail", "insufficient-scope")
    assert line["person"] == stage.claims()["oid"]


async def test_A6_an_edit_that_failed_or_is_unclear_is_told_once(stage: Stage, trail: ReadTrail) -> None:
    await stage.token()
    await stage.fault("token.on_behalf_of", status=503, times=20)
    await stage.patch({"city": "Turin"})
    assert trail.facts() == [("profile-edit", "failed", "authority-unavailable")]

    await stage.world.ask("DELETE", "/admin/faults")
    await stage.fault("graph.patch_me", status=503, times=20)
    await stage.patch({"city": "Turin"})
    assert trail.facts() == [("profile-edit", "unknown", "resource-unavailable")]


async def test_A6_what_changes_nothing_is_no_edit_and_what_is_wrong_is_told(
    stage: Stage, trail: ReadTrail
) -> None:
    assert (await stage.patch({})).status == 200
    assert (await stage.send("GET", "/health/live")).status == 200
    assert trail.facts() == []

    assert (await stage.patch({"city": 7})).status == 422
    assert (await stage.patch(b"{")).status == 400
    assert trail.facts() == [
        ("invalid-input", "refused", "invalid-profile-patch"),
        ("invalid-input", "refused", "bad-request"),
    ]
