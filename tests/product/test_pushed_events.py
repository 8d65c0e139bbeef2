"""Event streams are told by Redis what changed (L15), and believe nothing of it before they have looked themselves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from gateway.app_keys import EVENT_STREAMS
from gateway.session.event_streams import StreamLimits
from gateway.session.stream_wheel import StreamWheel
from gateway.store.hints import CHANNEL, hint_name
from gateway.tokens.resources import EDIT
from gateway.tokens.token_records import GRANTED, TOKEN
from tests.product.listeners import Listener, listening, pushed
from tests.product.test_operation import environment, process
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.witnesses import commands, forget_commands, opened
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
# Nobody looks without a reason: what is told was pushed.
ONLY_PUSHED = StreamLimits(look=3600, rarely=3600)


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Give a world in which only what is pushed makes a stream look."""
    return await make_world(stream_limits=ONLY_PUSHED)


@pytest.fixture
async def ada(world: World) -> OtherFrontEnd:
    """Give Ada, signed in."""
    return await world.signed_in()


@pytest.fixture
async def stream(world: World, ada: OtherFrontEnd) -> AsyncIterator[Listener]:
    """Give a stream of hers that has begun, in a gateway that hears what is pushed."""
    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        await marked_anew(world)
        yield stream


async def marked_anew(world: World) -> None:
    """Wait until the streams have read their marks for the first time, which is the last time for an hour."""
    wheel = world.app[EVENT_STREAMS].wheel
    for _ in range(PATIENCE * 50):
        if all(seat.asked_again > wheel._turn + 60 for seats in wheel._seats.values() for seat in seats):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("marks are read all the time")


async def the_end(stream: Listener) -> object:
    """Return the reason that is told."""
    *_, last = await stream.rest()
    return (last.event, last.data)


async def test_L15_an_end_from_another_browser_is_pushed(world: World, stream: Listener) -> None:
    elsewhere = await world.signed_in()

    await elsewhere.call("DELETE", "/api/sessions")

    assert await the_end(stream) == ("session-ended", {"reason": "ended-elsewhere"})


async def test_L15_a_sign_out_in_another_window_is_pushed(stream: Listener, ada: OtherFrontEnd) -> None:
    assert (await ada.call("POST", "/auth/sign-out")).status == 200

    assert await the_end(stream) == ("session-ended", {"reason": "signed-out"})


async def test_L15_an_end_by_another_process_is_pushed(
    world: World, ada: OtherFrontEnd, stream: Listener, valkey: str
) -> None:
    oid = (await ada.call("GET", "/api/session")).body["user"]["id"]

    async with process(environment(world, valkey, free_port()), "end-sessions", oid) as run:
        assert await run.wait() == 0

    assert await the_end(stream) == ("session-ended", {"reason": "ended-by-operator"})


async def test_L15_a_new_id_after_a_step_up_is_pushed(ada: OtherFrontEnd, stream: Listener) -> None:
    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")

    assert [one.event for one in await stream.rest()] == [], "the browser comes back with the new id"


async def test_L15_rights_that_change_are_pushed(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=ONLY_PUSHED)
    ada = await world.confirmed()
    live = await opened(world, ada)

    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        await marked_anew(world)
        await live.records.put({TOKEN.field(EDIT): None, **GRANTED.entry(["openid"], live.absolute_at)})
        event = await stream.event()

    assert (event.event, event.data) == ("access-changed", {"access": {"profile.edit": "step-up"}})


async def test_L15_rights_and_lives_that_end_by_time_alone_are_told_without_a_hint(
    make_world: MakeWorld,
) -> None:
    limits = StreamLimits(look=1, rarely=3600)
    world = await make_world(stream_limits=limits, STEP_UP_MAX_AGE_SECONDS="300", SESSION_IDLE_SECONDS="3600")
    ada = await world.confirmed()

    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        world.forward(301)
        changed = await stream.event()
        world.forward(3600 - 301 - 60)
        expiring = await stream.event()

    assert (changed.event, changed.data) == ("access-changed", {"access": {"profile.edit": "step-up"}})
    assert expiring.event == "session-expiring"


@pytest.mark.parametrize("what", ["their own name", "everybody", "nonsense", "much"])
async def test_L15_whoever_can_publish_can_forge_nothing(
    world: World, ada: OtherFrontEnd, stream: Listener, what: str
) -> None:
    own = hint_name((await opened(world, ada)).ref.family)
    text: bytes = {
        "their own name": own.encode(),
        "everybody": b"*",
        "nonsense": b'\xff\x00 {"event": "session-ended"}',
        "much": b" ".join([own.encode()] * 5000),
    }[what]

    heard = [await world.redis.publish(CHANNEL, text) for _ in range(50)]
    coming = asyncio.ensure_future(stream.next())
    done, _ = await asyncio.wait([coming], timeout=1.5)

    assert min(heard) >= 1
    assert not done, "nothing is told"
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
    await ada.call("POST", "/auth/sign-out")
    event = await coming
    assert event is not None
    assert (event.event, event.data) == ("session-ended", {"reason": "signed-out"}), (
        "a true hint still counts"
    )


async def test_L15_nobody_hears_of_anybody_elses_session(world: World, stream: Listener) -> None:
    grace = await world.front_end()
    await grace.sign_in(GRACE)

    async with listening(grace) as hers:
        await hers.next()
        await grace.call("POST", "/auth/sign-out")
        assert await the_end(hers) == ("session-ended", {"reason": "signed-out"})

    coming = asyncio.ensure_future(stream.next())
    done, _ = await asyncio.wait([coming], timeout=0.5)
    assert not done
    coming.cancel()


async def test_L15_a_hint_names_no_session_and_no_person(world: World, ada: OtherFrontEnd) -> None:
    live = await opened(world, ada)
    async with world.redis.pubsub() as witness:
        await witness.subscribe(CHANNEL)
        await ada.call("POST", "/auth/sign-out")
        said = b""
        async with asyncio.timeout(PATIENCE):
            while not said:
                message = await witness.get_message(ignore_subscribe_messages=True, timeout=1)
                said = message["data"] if message else b""

    assert said.decode() == hint_name(live.ref.family)
    for secret in (live.ref.family, live.ref.digest, live.cookie.id, live.user.oid, live.user.name):
        assert secret.encode() not in said


async def test_L15_what_was_said_while_nobody_heard_is_found(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=StreamLimits(look=1, rarely=3600))
    ada = await world.signed_in()
    live = await opened(world, ada)

    async with listening(ada) as stream:
        await stream.next()
        await pushed(world)
        await marked_anew(world)
        await world.redis.delete(live.ref.key)  # as an end does whose hint is lost
        assert await world.redis.client_kill_filter(_type="pubsub") >= 1
        reason = await the_end(stream)
        await pushed(world)

    assert reason == ("session-ended", {"reason": "expired"})


async def test_L15_idle_streams_cost_no_read_of_their_sessions(
    make_world: MakeWorld,
) -> None:
    world = await make_world(stream_limits=StreamLimits(look=0.05, rarely=0.05, of_session=8))
    ada = await world.signed_in()

    async with AsyncExitStack() as pages:
        for _ in range(8):
            page = await pages.enter_async_context(listening(ada))
            await page.next()
        await pushed(world)
        wheel = world.app[EVENT_STREAMS].wheel
        await turned(wheel, 3)
        await forget_commands(world.redis)
        before = wheel._turn
        await turned(wheel, 20)
        turns, asked = wheel._turn - before, await commands(world.redis)

    assert asked <= turns + 1, "one mark in a turn for all eight pages of a session, and no look"


async def turned(wheel: StreamWheel, turns: int) -> None:
    """Wait for so many turns."""
    until = wheel._turn + turns
    for _ in range(PATIENCE * 100):
        if wheel._turn >= until:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the wheel stands still")
