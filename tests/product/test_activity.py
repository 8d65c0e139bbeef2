"""A person's own last entries: what was done, in which session, and nothing of anybody else."""

from collections.abc import Awaitable, Callable

import pytest

from tests.stage.other_front_end import GRACE
from tests.stage.world import World


async def test_A6_U37_a_person_sees_what_was_done_newest_first(world: World) -> None:
    ada = await world.confirmed()
    await ada.call("PATCH", "/api/profile", {"city": "Turin", "state": None})

    answer = await ada.call("GET", "/api/activity")

    entries = answer.body["entries"]
    assert [(one["event"], one["outcome"]) for one in entries] == [
        ("profile-edit", "success"),
        ("step-up", "success"),
        ("sign-in", "success"),
    ]
    assert entries[0]["fields"] == ["city", "state"]
    assert {one["network"] for one in entries} == {"127.0.0.0/24"}
    assert len({one["session"]["id"] for one in entries}) == 1, "a step-up gives the session another id"
    assert all(one["session"]["current"] and one["reference"] for one in entries)
    assert "Turin" not in answer.text
    assert ada.cookie().split(".")[0] not in answer.text


async def test_A6_nobody_sees_what_another_person_did(world: World) -> None:
    await world.signed_in()
    grace = await world.front_end()
    await grace.sign_in(GRACE)

    entries = (await grace.call("GET", "/api/activity")).body["entries"]

    assert [one["event"] for one in entries] == ["sign-in"]


async def test_A6_a_person_sees_from_any_session_what_was_done_in_the_others(world: World) -> None:
    there, here = await world.signed_in(), await world.signed_in()
    await here.call("DELETE", "/api/sessions")
    gone = await world.signed_in()
    await gone.call("POST", "/auth/sign-out")

    entries = (await here.call("GET", "/api/activity")).body["entries"]

    assert [(one["event"], one.get("sessions"), one["session"]["current"]) for one in entries] == [
        ("sign-out", None, False),
        ("sign-in", None, False),
        ("session-end", 1, True),
        ("sign-in", None, True),
        ("sign-in", None, False),
    ]
    assert (await there.call("GET", "/api/activity")).status == 401


async def test_A6_an_edit_that_nobody_saved_is_there_with_its_reason(world: World) -> None:
    ada = await world.confirmed()
    stale = {"If-Match": '"another"'}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=stale)).status == 412
    await world.admin("PUT", "/faults/token.on_behalf_of", {"status": 503, "times": 20})
    assert (await ada.call("PATCH", "/api/profile", {"state": "Piedmont"})).status >= 500
    await world.admin("DELETE", "/faults")
    await world.admin("PUT", "/faults/graph.patch_me", {"status": 503, "times": 20})
    assert (await ada.call("PATCH", "/api/profile", {"country": "Italy"})).status == 502

    entries = (await ada.call("GET", "/api/activity")).body["entries"]

    assert [(one["event"], one["outcome"], one["reason"], one["fields"]) for one in entries[:3]] == [
        ("profile-edit", "unknown", "resource-unavailable", ["country"]),
        ("profile-edit", "failed", "authority-unavailable", ["state"]),
        ("profile-edit", "refused", "profile-changed", ["city"]),
    ]


async def test_A6_what_changes_nothing_or_is_answered_again_is_no_second_edit(world: World) -> None:
    ada, key = await world.confirmed(), {"Idempotency-Key": "once"}
    for _ in range(3):
        assert (await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=key)).status == 200
    assert (await ada.call("PATCH", "/api/profile", {})).status == 200

    entries = (await ada.call("GET", "/api/activity")).body["entries"]

    assert [one["event"] for one in entries] == ["profile-edit", "step-up", "sign-in"]


async def test_A6_S16_what_is_kept_of_a_person_has_an_end_and_tells_redis_nothing(world: World) -> None:
    ada = await world.signed_in()
    await ada.call("GET", "/api/activity")

    (key,) = [key for key in await world.keys() if ":activity:" in key]

    assert 0 < await world.redis.ttl(key) <= 7 * 24 * 3600
    stored = str(await world.redis.get(key))
    assert "sign-in" not in stored
    assert "127.0.0" not in stored


async def test_A6_asking_for_the_entries_needs_a_session_and_the_guards_header(world: World) -> None:
    ada = await world.signed_in()
    stranger = await world.front_end()

    assert (await stranger.call("GET", "/api/activity")).status == 401
    assert (await ada.call("GET", "/api/activity", headers={"X-CSRF": "0"})).status == 403


async def test_A6_fifty_entries_are_kept_the_newest(world: World) -> None:
    ada = await world.confirmed()
    for number in range(52):
        await ada.call("PATCH", "/api/profile", {"city": f"{number}"}, headers={"If-Match": '"stale"'})

    entries = (await ada.call("GET", "/api/activity")).body["entries"]

    assert {one["event"] for one in entries} == {"profile-edit"}
    assert len(entries) == 50


@pytest.mark.parametrize("place", ["https://login.example.com/password?app=1", None])
async def test_A6_the_page_is_told_where_passwords_are_changed_if_anybody_knows(
    make_world: Callable[..., Awaitable[World]], place: str | None
) -> None:
    world = await make_world(**({"CHANGE_PASSWORD_URL": place} if place else {}))
    ada, stranger = await world.signed_in(), await world.front_end()

    assert (await ada.call("GET", "/api/session")).body.get("change_password") == place
    assert "change_password" not in (await stranger.call("GET", "/api/session")).body
