"""How streams of events live: who may open one, how many, for how long, and what they do in trouble."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from gateway.app_keys import EVENT_STREAMS, METRICS, SESSIONS, VAULT
from gateway.session.event_streams import EventStreams, StreamLimits
from gateway.session.sessions import LiveSession
from gateway.store.redis.budget import LIMITS
from servicekit.http.quiet_server import DRAIN_SECONDS
from servicekit.problems import problems_middleware
from tests.product.listeners import LONG, PATH, QUICK, gone, listening
from tests.product.test_operation import answers, environment, process
from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.witnesses import ask, commands, forget_commands, opened
from tests.stage.world import World, served

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Give a world in which streams look at their sessions all the time."""
    return await make_world(stream_limits=QUICK)


async def test_a_silent_stream_gives_a_sign_of_life_and_ends_after_its_time(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=QUICK)
    ada = await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        world.clock.now += QUICK.heartbeat
        sign = await stream.next()
        world.clock.now += QUICK.life
        rest = await stream.rest()

    assert sign is not None
    assert sign.comment
    assert [event.event for event in rest] == [], "the browser comes back by itself"
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True


async def test_a_session_has_so_many_streams_and_a_closed_page_gives_its_place_back(
    make_world: MakeWorld,
) -> None:
    world = await make_world(stream_limits=StreamLimits(look=3600))
    ada, grace = await world.signed_in(), await world.front_end()
    await grace.sign_in(GRACE)

    async with AsyncExitStack() as pages:
        for _ in range(QUICK.of_session):
            await pages.enter_async_context(listening(ada))
        refused = await ada.call("GET", PATH)
        async with listening(grace) as stream:
            assert await stream.next(), "others have places of their own"
    assert (refused.status, refused.slug) == (429, "too-many-requests")
    assert int(refused.headers["Retry-After"]) > 0

    for _ in range(100):
        if (await ask(ada, "GET", PATH, {"X-CSRF": "1"})).status == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the places are not given back before the next look, which is an hour away")


async def test_A8_one_account_takes_no_more_than_its_share_of_the_places_in_whatever_many_sessions(
    make_world: MakeWorld,
) -> None:
    world = await make_world(stream_limits=StreamLimits(look=0.05, of_session=2, of_person=3, of_process=4))
    first, second = await world.signed_in(), await world.signed_in()
    grace = await world.front_end()
    await grace.sign_in(GRACE)

    async with AsyncExitStack() as pages:
        for person in (first, second, first):
            await pages.enter_async_context(listening(person))
        refused = [await person.call("GET", PATH) for person in (first, second)]
        async with listening(grace) as stream:
            assert await stream.next(), "another person has a place"
    assert [(answer.status, answer.slug) for answer in refused] == [(429, "too-many-requests")] * 2
    assert (await first.call("GET", "/api/session")).body["authenticated"] is True

    await gone(world)
    async with listening(second) as stream:
        assert await stream.next(), "and the places are given back"


async def test_A8_nobody_listens_without_a_session(world: World) -> None:
    stranger = await world.front_end()

    answers = [await stranger.call("GET", PATH) for _ in range(3)]

    assert [(answer.status, answer.slug) for answer in answers] == [(401, "sign-in-required")] * 3
    assert world.app[EVENT_STREAMS].count() == 0


async def test_a_process_has_so_many_streams(make_world: MakeWorld) -> None:
    world = await make_world(stream_limits=StreamLimits(look=0.05, of_process=1))
    ada, grace = await world.signed_in(), await world.front_end()
    await grace.sign_in(GRACE)

    async with listening(ada):
        refused = await grace.call("GET", PATH)
    await gone(world)

    assert (refused.status, refused.slug) == (429, "too-many-requests")
    async with listening(grace) as stream:
        assert await stream.next()


async def test_S23_a_page_of_ours_and_a_program_may_listen_and_nobody_else(world: World) -> None:
    ada = await world.signed_in()

    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"X-CSRF": "1"}):
        assert (await ask(ada, "GET", PATH, headers)).status == 200, headers
    await forget_commands(world.redis)
    await gone(world)
    await forget_commands(world.redis)
    for headers in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": world.gateway_url},
    ):
        assert (await ask(ada, "GET", PATH, headers)).slug == "cross-origin-refused", headers
    assert await commands(world.redis) == 0, "no session was looked at"
    assert (await ask(ada, "HEAD", PATH, {"X-CSRF": "1"})).status == 405


async def test_U35_hours_of_listening_are_no_duration_of_a_request(world: World) -> None:
    ada = await world.signed_in()
    async with listening(ada) as stream:
        await stream.next()
        assert "stepup_event_streams 1.0" in world.app[METRICS].drawn().decode()
    await gone(world)
    await ada.call("GET", PATH, headers={"X-CSRF": ""})

    metrics = world.app[METRICS].drawn().decode()
    assert "stepup_event_streams 0.0" in metrics

    assert f'stepup_requests_total{{method="GET",route="{PATH}",status="200"}} 1.0' in metrics
    assert f'stepup_request_seconds_count{{method="GET",route="{PATH}"}} 1.0' in metrics, (
        "that of the refusal"
    )


async def test_R19_streams_end_at_once_when_the_gateway_stops_and_hold_nothing_up(
    make_world: MakeWorld,
) -> None:
    world = await make_world(stream_limits=StreamLimits(look=3600))
    ada = await world.signed_in()

    async with listening(ada) as stream:
        await stream.next()
        stopping = asyncio.ensure_future(world.stop())
        rest = await stream.rest()
        await stopping

    assert rest == [], "the stream ended in good order, and nobody was signed out"


async def test_R19_a_process_that_is_told_to_stop_waits_for_no_stream(world: World, valkey: str) -> None:
    port = free_port()
    ada, page = await world.signed_in(), await world.front_end()
    page.gateway_url = f"http://localhost:{port}"

    async with process(environment(world, valkey, port)) as run:
        await answers(f"{page.gateway_url}/health/ready")
        async with listening(page, Cookie=f"__Host-Http-session={ada.cookie()}") as stream:
            await stream.next()
            run.terminate()
            assert await stream.rest() == []
        await asyncio.wait_for(run.wait(), DRAIN_SECONDS - 5)

    assert run.returncode == 0


@pytest.mark.parametrize("faults", [Faults(silent=True), Faults(refuse=True)], ids=["silent", "gone"])
async def test_R2_a_stream_keeps_quiet_while_redis_is_away_and_goes_on_afterwards(
    make_world: MakeWorld, valkey: str, faults: Faults
) -> None:
    async with proxied(valkey) as (proxy, url):
        world = await make_world(stream_limits=LONG, REDIS_URL=url)
        ada, elsewhere = await world.signed_in(), await world.signed_in()
        async with listening(ada) as stream:
            await stream.next()
            proxy.faults = faults
            if faults.refuse:
                proxy.reset_all()
            for _ in range(3):
                world.clock.now += LONG.heartbeat
                quiet = await stream.next()
                assert quiet is not None
                assert quiet.comment, "nobody was signed out"
            refused = await elsewhere.call("GET", PATH)
            proxy.heal()
            proxy.reset_all()
            await ended_elsewhere(elsewhere)
            event = await stream.event()

    assert (refused.status, refused.slug) == (503, "session-store-unavailable")
    assert (event.event, event.data) == ("session-ended", {"reason": "ended-elsewhere"})


async def test_a_stream_that_waited_for_redis_often_is_not_blind(make_world: MakeWorld, valkey: str) -> None:
    async with proxied(valkey) as (proxy, url):
        world = await make_world(stream_limits=LONG, REDIS_URL=url)
        ada, elsewhere = await world.signed_in(), await world.signed_in()
        async with listening(ada) as stream:
            await stream.next()
            proxy.faults = Faults(delay=0.15)
            waited = 2 * LIMITS.request  # which is all that a request has
            await asyncio.sleep(waited)
            proxy.heal()
            ended = await elsewhere.call("DELETE", "/api/sessions")
            assert ended.body == {"ended": 1}, ended.text

            assert (await stream.event()).event == "session-ended"


async def test_a_fault_of_ours_ends_a_stream_in_good_order_and_is_told_to_the_operator(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.signed_in()
    live = await opened(world, ada)
    looks = iter([{"profile.edit": "step-up"}])

    async def access(_session: LiveSession) -> dict[str, str]:
        return next(looks)  # and nothing at the second look

    streams = EventStreams(
        world.app[SESSIONS],
        world.app[VAULT],
        access,
        now=time.time,
        monotonic=time.monotonic,
        warning=1,
        redis_seconds=5,
        limits=QUICK,
    )

    async def handler(request: web.Request) -> web.StreamResponse:
        return await streams.serve(request, live)

    app = web.Application(middlewares=[problems_middleware()])
    app.router.add_get(PATH, handler)
    port = free_port()
    ada.gateway_url = f"http://localhost:{port}"

    async with served(app, port, "localhost"), listening(ada) as stream:
        first = await stream.next()
        world.clock.now += 1
        await world.app[VAULT].touch(live.ref, idle=600)
        events = await stream.rest()

    assert first is not None
    assert first.event == ""
    assert events == [], "no half of a problem in the middle of it"
    assert "event-stream-failed" in caplog.text
    assert streams.count() == 0


@asynccontextmanager
async def proxied(valkey: str) -> AsyncIterator[tuple[FaultProxy, str]]:
    """Give a proxy before Valkey, and the address that leads through it."""
    there = URL(valkey)
    assert there.host is not None
    assert there.port is not None
    async with FaultProxy.before(there.host, there.port) as proxy:
        yield proxy, str(there.with_port(proxy.port))


async def ended_elsewhere(person: OtherFrontEnd) -> None:
    """End the person's other session as soon as the gateway uses Redis again."""
    for _ in range(100):
        answer = await person.call("DELETE", "/api/sessions")
        if answer.status != 503:
            assert answer.body == {"ended": 1}, answer.text
            return
        await asyncio.sleep(0.1)
    raise AssertionError("Redis is not used again")
