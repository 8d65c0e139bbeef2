"""Where you're signed in: every session of a person, and none of anybody else."""

import pytest

from gateway.app_keys import OWN_SESSIONS, SETTINGS, VAULT
from gateway.edge.devices import device_name
from gateway.session.cookie import SessionCookie
from gateway.session.summary import SUMMARY
from gateway.store.fields import Field
from gateway.store.names import digest_of, index_key
from tests.stage.operator_settings import sealing_key
from tests.stage.other_front_end import GRACE
from tests.stage.witnesses import with_cookie
from tests.stage.world import World

OTHER_KEY = sealing_key("other")


async def test_S22_a_person_sees_every_session_and_which_one_this_is(world: World) -> None:
    first, second, grace = await world.signed_in(), await world.confirmed(), await world.front_end()
    await grace.sign_in(GRACE)

    listed = (await first.call("GET", "/api/sessions")).body["sessions"]

    assert len(listed) == 2
    (this,) = [one for one in listed if one["current"]]
    (other,) = [one for one in listed if not one["current"]]
    assert this["last_mfa_at"] is None
    assert other["last_mfa_at"].endswith("Z")
    assert set(this) == {"id", "device", "created_at", "last_seen_at", "last_mfa_at", "current"}
    assert first.cookie().split(".")[1] not in str(listed)
    assert second.cookie().split(".")[1] not in str(listed)


async def test_S22_one_session_can_be_ended_from_another(world: World) -> None:
    here, there = await world.signed_in(), await world.signed_in()
    (other,) = [
        one for one in (await here.call("GET", "/api/sessions")).body["sessions"] if not one["current"]
    ]

    assert (await here.call("DELETE", f"/api/sessions/{other['id']}")).status == 204

    gone = await there.call("GET", "/api/profile")
    assert (gone.status, gone.body["reason"]) == (401, "ended-elsewhere")
    assert (await here.call("GET", "/api/profile")).status == 200
    assert (await here.call("DELETE", f"/api/sessions/{other['id']}")).status == 404


async def test_S22_all_others_can_be_ended_at_once(world: World) -> None:
    here, *others = [await world.signed_in() for _ in range(4)]

    assert (await here.call("DELETE", "/api/sessions")).body == {"ended": 3}

    assert [(await other.call("GET", "/api/profile")).status for other in others] == [401] * 3
    assert len((await here.call("GET", "/api/sessions")).body["sessions"]) == 1


async def test_S22_nobody_ends_a_stranger_s_session(world: World) -> None:
    ada, grace = await world.signed_in(), await world.front_end()
    await grace.sign_in(GRACE)
    (hers,) = (await grace.call("GET", "/api/sessions")).body["sessions"]

    assert (await ada.call("DELETE", f"/api/sessions/{hers['id']}")).slug == "not-found"
    assert (await grace.call("GET", "/api/profile")).status == 200


async def test_S22_an_operator_ends_every_session_of_a_person(world: World) -> None:
    here, there = await world.signed_in(), await world.signed_in()
    oid = (await here.call("GET", "/api/session")).body["user"]["id"]

    ended = await world.app[OWN_SESSIONS].end_all(str(world.app[SETTINGS].tenant_id), oid)

    assert ended == 2
    assert [(await one.call("GET", "/api/profile")).status for one in (here, there)] == [401, 401]


async def test_S22_looking_at_the_list_leaves_no_orphans_and_does_not_prolong(world: World) -> None:
    here, there = await world.signed_in(), await world.signed_in()
    session = (await here.call("GET", "/api/session")).body
    await there.call("POST", "/auth/sign-out")
    world.forward(60)

    await here.call("GET", "/api/sessions")

    (index,) = [key for key in await world.keys() if ":index:person:" in key]
    assert await world.redis.zcard(index) == 1
    assert (await here.call("GET", "/api/session")).body["expires"] == session["expires"]


@pytest.mark.parametrize(
    "user_agent, name",
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_a_device_is_called_by_browser_and_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


async def test_S22_looking_at_the_list_during_a_sign_in_hides_no_session(world: World) -> None:
    here = await world.signed_in()
    session = (await here.call("GET", "/api/session")).body["user"]
    owner = digest_of(str(world.app[SETTINGS].tenant_id), session["id"])
    arriving = SessionCookie.new()
    index = index_key("person", owner)
    await world.redis.zadd(index, {arriving.ref.packed: world.clock.now})  # as a sign-in begins

    await here.call("GET", "/api/sessions")

    assert await world.redis.zscore(index, arriving.ref.packed) is not None
    world.forward(61)
    await here.call("GET", "/api/sessions")
    assert await world.redis.zscore(index, arriving.ref.packed) is None


async def test_S22_R22_a_session_that_a_gateway_cannot_open_is_still_found_and_ended(world: World) -> None:
    there = (await world.signed_in()).cookie()
    await world.stop()
    other = await world.new_gateway(SEALING_KEYS=OTHER_KEY)
    here = await other.signed_in()
    world.forward(120)  # long settled

    listed = (await here.call("GET", "/api/sessions")).body["sessions"]
    assert [one["current"] for one in listed] == [True], "it cannot be shown"
    (index,) = [key for key in await world.keys() if ":index:person:" in key]
    assert await world.redis.zcard(index) == 2, "and looking at the list drops nothing that lives"

    before = await world.new_gateway()
    assert (await with_cookie(before, there)).status == 200
    assert (await here.call("DELETE", "/api/sessions")).body == {"ended": 1}
    assert (await with_cookie(before, there)).body["reason"] == "ended-elsewhere"
    assert (await here.call("GET", "/api/profile")).status == 200


@pytest.mark.parametrize("summary", [b"{}", b"[]", b'{"device": "Firefox"}'])
async def test_S22_what_another_version_wrote_of_a_session_costs_nobody_the_list(
    world: World, summary: bytes
) -> None:
    here, there = await world.signed_in(), await world.signed_in()
    cookie = SessionCookie.parse(there.cookie())
    assert cookie is not None
    far = Field(summary, world.clock.now + 3600, keyed=False)
    assert (await world.app[VAULT].write(cookie.ref, {SUMMARY: far}, secret=b"")).is_whole

    answer = await here.call("GET", "/api/sessions")

    assert [one["current"] for one in answer.body["sessions"]] == [True]
    assert (await here.call("DELETE", "/api/sessions")).body == {"ended": 1}
