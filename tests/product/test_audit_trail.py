"""The audit trail (A6, U37): each fact once, with who and from where, and nothing of what was written."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.stage.other_front_end import ADA, GRACE, OtherFrontEnd
from tests.stage.tenant import TENANT_ID
from tests.stage.trails import ReadTrail
from tests.stage.visitor import Page
from tests.stage.world import World, ready

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
SIGNED_IN = [("sign-in", "success", ""), ("session-start", "success", "")]
STEPPED_UP = [("step-up", "success", ""), ("session-rotation", "success", "")]


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], trail: ReadTrail) -> World:
    """Give a world whose gateway has that trail."""
    return await make_world(trail=trail.trail)


async def cancel(person: OtherFrontEnd, page: Page) -> None:
    """Answer to the gateway as the authority does when the person cancels there."""
    await person.come_back(await person.visitor.follow(page, "Cancel"))


async def test_A6_U37_a_sign_in_says_who_in_which_session_and_from_where(
    world: World, trail: ReadTrail
) -> None:
    ada = await world.front_end()
    ada.session.headers["User-Agent"] = (
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    )
    await ada.sign_in()
    user = (await ada.call("GET", "/api/session")).body["user"]

    signed_in, began = trail.new()

    assert (signed_in["event"], began["event"]) == ("authn_login_success", "session_created")
    assert (signed_in["tenant"], signed_in["person"]) == (TENANT_ID, user["id"])
    assert signed_in["address"] == "127.0.0.1"
    assert "Firefox/140.0" in signed_in["user_agent"]
    assert signed_in["route"] == "POST /auth/callback"
    assert len(signed_in["session"]) == 32
    assert signed_in["session"] == began["session"]
    (shown,) = (await ada.call("GET", "/api/activity")).body["entries"]
    assert (shown["session"]["id"], shown["reference"]) == (signed_in["session"], signed_in["reference"])


async def test_A6_the_session_keeps_its_name_when_a_step_up_changes_its_id(
    world: World, trail: ReadTrail
) -> None:
    ada = await world.front_end()
    await ready(ada)
    await ready(ada, step_up=True)
    await ada.call("POST", "/auth/sign-out")

    lines = trail.new()

    assert [(line["fact"], line["event"]) for line in lines] == [
        ("sign-in", "authn_login_success"),
        ("session-start", "session_created"),
        ("step-up", "authn_login_success"),
        ("session-rotation", "session_renewed"),
        ("session-end", "session_expired"),
    ]
    assert len({line["session"] for line in lines}) == 1
    assert {line["person"] for line in lines} == {lines[0]["person"]}
    assert lines[-1]["reason"] == "signed-out"


async def test_A6_an_edit_is_told_by_the_names_of_its_fields_and_never_by_a_value(
    world: World, trail: ReadTrail
) -> None:
    ada = await world.front_end()
    await ready(ada)
    await ready(ada, step_up=True)
    trail.new()
    await ada.call("PATCH", "/api/profile", {"city": "Canary-Turin", "state": None})

    (line,) = trail.new()

    assert (line["event"], line["fields"], line["outcome"]) == (
        "sensitive_update",
        ["city", "state"],
        "success",
    )
    assert "Canary" not in json.dumps(line)


async def test_A6_an_edit_that_waits_for_its_person_is_told_when_it_is_parked_and_what_became_of_it(
    world: World, trail: ReadTrail
) -> None:
    ada = await world.front_end()
    await ready(ada)
    trail.new()

    parked = (await ada.call("PATCH", "/api/profile", {"city": "Turin"})).body["parked_edit"]["id"]
    assert trail.facts() == [("edit-parked", "refused", "step-up-required")]

    await ada.step_up(STEP_UP)
    assert trail.facts() == STEPPED_UP

    assert (await ada.call("POST", f"/api/parked-edits/{parked}")).status == 200
    assert trail.facts() == [("profile-edit", "success", "")]

    assert (await ada.call("POST", f"/api/parked-edits/{parked}")).status == 404
    assert trail.facts() == [("unknown-object", "refused", "not-found")]


async def test_A6_a_parked_edit_that_its_person_drops_is_told(world: World, trail: ReadTrail) -> None:
    ada = await world.front_end()
    await ready(ada)
    parked = (await ada.call("PATCH", "/api/profile", {"city": "Turin"})).body["parked_edit"]["id"]
    trail.new()

    assert (await ada.call("DELETE", f"/api/parked-edits/{parked}")).status == 204

    assert trail.facts() == [("parked-edit-drop", "success", "")]


async def test_A6_a_refused_a_failed_and_an_unclear_edit_are_told_once_each(
    world: World, trail: ReadTrail
) -> None:
    ada = await world.front_end()
    await ready(ada)
    await ready(ada, step_up=True)
    trail.new()

    await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers={"If-Match": '"another"'})
    assert trail.facts() == [("profile-edit", "refused", "profile-changed")]

    await ada.call("PATCH", "/api/profile", {"city": 7, "shoe_size": "43"})
    assert trail.facts() == [("invalid-input", "refused", "invalid-profile-patch")]

    await world.admin("PUT", "/faults/token.on_behalf_of", {"status": 503, "times": 20})
    await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    assert trail.facts() == [("profile-edit", "failed", "authority-unavailable")]
    await world.admin("DELETE", "/faults")

    await world.admin("PUT", "/faults/graph.patch_me", {"status": 503, "times": 20})
    await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    assert trail.facts() == [("profile-edit", "unknown", "resource-unavailable")]


async def test_A6_a_sign_in_that_was_cancelled_or_is_nobodys_is_told(world: World, trail: ReadTrail) -> None:
    ada = await world.front_end()
    page = await ada.leave("/auth/sign-in")
    await cancel(ada, page)
    (cancelled,) = trail.new()
    assert (cancelled["event"], cancelled["fact"]) == ("authn_login_fail", "sign-in")
    assert (cancelled["outcome"], cancelled["reason"]) == ("refused", "sign-in-cancelled")
    assert cancelled["address"] == "127.0.0.1"
    assert "person" not in cancelled

    await ada.navigate("/auth/callback", {"state": "made-up", "code": "made-up"})
    assert trail.facts() == [("unknown-flow", "refused", "sign-in-expired")]


async def test_A6_a_step_up_that_was_cancelled_says_whose_it_was(world: World, trail: ReadTrail) -> None:
    ada = await world.front_end()
    await ready(ada)
    signed_in, _ = trail.new()

    page = await ada.leave(STEP_UP)
    await cancel(ada, page)
    (cancelled,) = trail.new()
    assert (cancelled["fact"], cancelled["reason"]) == ("step-up", "step-up-cancelled")
    assert (cancelled["person"], cancelled["session"]) == (signed_in["person"], signed_in["session"])
    shown = (await ada.call("GET", "/api/activity")).body["entries"][0]
    assert (shown["event"], shown["outcome"], shown["reason"]) == ("step-up", "refused", "step-up-cancelled")


async def test_A6_a_step_up_that_somebody_else_met_says_whose_it_was(world: World, trail: ReadTrail) -> None:
    ada = await world.signed_in()
    signed_in, _ = trail.new()
    grace = (await world.front_end()).visitor  # at the authority it is Grace who answers Ada's flow
    page = await grace.open((await ada.navigate(STEP_UP)).headers["Location"])
    page = await grace.submit(page, email=GRACE[0], password=GRACE[1])
    page = await grace.submit(page, code=await grace.newest_code(GRACE[0]))
    await ada.navigate("/auth/callback", page.form.inputs)

    (met,) = trail.new()

    assert (met["fact"], met["outcome"], met["reason"]) == ("step-up", "refused", "different-person")
    assert (met["person"], met["session"]) == (signed_in["person"], signed_in["session"])


async def test_A6_ends_of_sessions_are_told_one_by_one_with_their_cause(
    world: World, trail: ReadTrail
) -> None:
    here, there, third = await world.signed_in(), await world.signed_in(), await world.signed_in()
    trail.new()

    listed = (await here.call("GET", "/api/sessions")).body["sessions"]
    other = next(one["id"] for one in listed if not one["current"])
    await here.call("DELETE", f"/api/sessions/{other}")
    await here.call("DELETE", "/api/sessions")
    assert trail.facts() == [("session-end", "success", "ended-elsewhere")] * 2

    assert {(await one.call("GET", "/api/profile")).status for one in (there, third)} == {401}
    assert trail.facts() == [("ended-session-use", "refused", "ended-elsewhere")] * 2

    await here.sign_in(ADA)
    assert sorted(trail.facts()) == sorted([("session-end", "success", "replaced"), *SIGNED_IN])

    await world.admin("POST", f"/people/{ADA[0]}/sign-out")
    assert trail.facts() == [("session-end", "success", "signed-out")]


async def test_A6_no_secret_no_claim_and_no_cookie_is_in_the_trail(
    world: World, trail: ReadTrail, tmp_path: Path
) -> None:
    ada, grace = await world.confirmed(), await world.front_end()
    await grace.sign_in(GRACE)
    await ada.call("PATCH", "/api/profile", {"city": "Canary-Turin"})
    cookies = {ada.cookie(), grace.cookie()}
    await ada.call("POST", "/auth/sign-out")
    trail.new()

    text = (tmp_path / "audit.log").read_text()

    for secret in (
        *cookies,
        *(part for cookie in cookies for part in cookie.split(".")),
        "Canary",
        "Ada",
        ADA[0],
    ):
        assert secret not in text
