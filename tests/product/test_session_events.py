"""`GET /api/session/events`: what an open page hears of its session, and what it does not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.app_keys import OWN_SESSIONS, SETTINGS
from tests.product.listeners import LONG, PATH, QUICK, listening
from tests.stage.other_front_end import ADA, GRACE, OtherFrontEnd
from tests.stage.witnesses import with_cookie
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Give a world in which streams look at their sessions all the time."""
    return await make_world(stream_limits=QUICK)


async def test_a_stream_says_where_it_is_and_how_soon_to_come_back(world: World) -> None:
    ada = await world.signed_in()

    async with listening(ada) as stream:
        headers = stream.response.headers
        first = await stream.next()

    assert headers["Content-Type"] == "text/event-stream"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Set-Cookie" not in headers
    assert first is not None
    assert (first.event, first.data) == ("", None), "nothing has happened yet"
    assert first.id
    assert 2000 <= int(first.retry) <= 5000


async def test_without_a_session_there_is_no_stream_and_the_reason_is_told(world: World) -> None:
    ada = await world.signed_in()
    held = ada.cookie()
    await ada.call("POST", "/auth/sign-out")

    never = await ada.call("GET", PATH)
    over = await with_cookie(world, held, PATH)

    assert (never.status, never.slug, never.body.get("reason")) == (401, "sign-in-required", None)
    assert (over.status, over.body["reason"]) == (401, "signed-out")


async def _sign_out(world: World, ada: OtherFrontEnd) -> str:
    await with_cookie_post(world, ada.cookie(), "/auth/sign-out")
    return "signed-out"


async def _end_elsewhere(world: World, _ada: OtherFrontEnd) -> str:
    elsewhere = await world.signed_in()
    await elsewhere.call("DELETE", "/api/sessions")
    return "ended-elsewhere"


async def _end_as_operator(world: World, ada: OtherFrontEnd) -> str:
    oid = (await ada.call("GET", "/api/session")).body["user"]["id"]
    await world.app[OWN_SESSIONS].end_all(str(world.app[SETTINGS].tenant_id), oid)
    return "ended-by-operator"


async def _sign_in_again(_world: World, ada: OtherFrontEnd) -> str:
    await ada.sign_in()
    return "replaced"


async def _do_nothing(world: World, _ada: OtherFrontEnd) -> str:
    world.forward(world.app[SETTINGS].session_idle_seconds + 1)
    return "expired"


async def _lose_the_grant(world: World, ada: OtherFrontEnd) -> str:
    await world.admin("POST", f"/people/{ADA[0]}/revoke")
    world.forward(6000)  # no access token lives that long
    await ada.call("GET", "/api/profile")
    return "revoked"


async def with_cookie_post(world: World, cookie: str, path: str) -> None:
    """Call from another window of the same browser."""
    person = await world.front_end()
    answer = await person.call("POST", path, headers={"Cookie": f"__Host-Http-session={cookie}"})
    assert answer.status < 300, answer.text


@pytest.mark.parametrize(
    "end",
    [_sign_out, _end_elsewhere, _end_as_operator, _sign_in_again, _do_nothing, _lose_the_grant],
    ids=lambda end: end.__name__.strip("_"),
)
async def test_every_end_of_a_session_is_told_with_its_reason_and_ends_the_stream(
    make_world: MakeWorld, end: Callable[[World, OtherFrontEnd], Awaitable[str]]
) -> None:
    world = await make_world(stream_limits=LONG, SESSION_IDLE_SECONDS="7200")
    ada = await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        reason = await end(world, ada)
        *_, last = await stream.rest()

    assert (last.event, last.data) == ("session-ended", {"reason": reason})
    assert last.id == "", (
        "the browser forgets where it was, and its next session is not compared with this one"
    )


async def test_a_session_about_to_expire_is_told_once_and_again_after_it_was_prolonged(
    make_world: MakeWorld,
) -> None:
    world = await make_world(stream_limits=LONG, SESSION_IDLE_SECONDS="600")
    ada = await world.signed_in()
    before = (await ada.call("GET", "/api/session")).body["expires"]

    async with listening(ada) as stream:
        await stream.next()
        world.forward(481)
        first = await stream.event()
        world.forward(LONG.heartbeat)
        once = await stream.next()
        assert (await ada.call("GET", "/api/session")).body["expires"] == before, "nothing was prolonged"
        await ada.call("GET", "/api/profile")
        world.forward(300)
        quiet = await stream.next()
        after = (await ada.call("GET", "/api/session")).body["expires"]
        world.forward(181)
        second = await stream.event()

    assert (first.event, first.data) == ("session-expiring", {"expires": before})
    assert (second.event, second.data) == ("session-expiring", {"expires": after})
    assert before != after
    for sign in (once, quiet):
        assert sign is not None
        assert sign.comment, "there was nothing new to say"


async def test_a_short_session_is_told_half_way(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=QUICK, SESSION_IDLE_SECONDS="60")
    ada = await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        world.forward(31)

        assert (await stream.event()).event == "session-expiring"


async def test_access_that_is_lost_is_told(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=QUICK, STEP_UP_MAX_AGE_SECONDS="300")
    ada = await world.confirmed()

    async with listening(ada) as stream:
        first = await stream.next()
        world.forward(301)
        changed = await stream.event()

    assert (changed.event, changed.data) == ("access-changed", {"access": {"profile.edit": "step-up"}})
    assert first is not None
    assert changed.id != first.id


async def test_a_step_up_ends_the_stream_without_a_word_and_the_next_one_says_what_changed(
    world: World,
) -> None:
    ada = await world.signed_in()

    async with listening(ada) as stream:
        first = await stream.next()
        await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
        assert [event.event for event in await stream.rest()] == [], "nobody was signed out"
    assert first is not None
    assert first.id is not None
    async with listening(ada, Last_Event_ID=first.id) as stream:
        event = await stream.event()
    async with listening(ada, Last_Event_ID=str(event.id)) as stream:
        again = await stream.next()

    assert (event.event, event.data) == ("access-changed", {"access": {"profile.edit": "granted"}})
    assert again is not None
    assert (again.event, again.id) == ("", event.id), "what was told is not told again"


async def test_a_browser_that_comes_back_to_another_session_hears_that_the_one_before_is_over(
    world: World,
) -> None:
    ada = await world.signed_in()
    async with listening(ada) as stream:
        first = await stream.next()
    assert first is not None

    await ada.call("POST", "/auth/sign-out")
    await ada.sign_in(GRACE, "/auth/sign-in?return_to=/edit")
    async with listening(ada, Last_Event_ID=str(first.id)) as stream:
        events = await stream.rest()

    assert [(one.event, one.data, one.id) for one in events] == [
        ("session-ended", {"reason": "replaced"}, "")
    ]


@pytest.mark.parametrize(
    "known", ["", "0", "x" * 5000, "000000000000.owner", "000000000000.granted.", "\xe9"]
)
async def test_an_id_that_is_none_of_ours_is_passed_over(world: World, known: str) -> None:
    ada = await world.signed_in()

    async with listening(ada, Last_Event_ID=known) as stream:
        first = await stream.next()

    assert first is not None
    assert first.event == ""


async def test_listening_does_not_prolong_the_session(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=QUICK, SESSION_IDLE_SECONDS="600")
    ada = await world.signed_in()
    before = (await ada.call("GET", "/api/session")).body["expires"]

    world.forward(200)
    async with listening(ada) as stream:
        await stream.next()
        world.forward(200)
        await asyncio.sleep(QUICK.look * 4)

    assert (await ada.call("GET", "/api/session")).body["expires"] == before
