"""How streams of events live: who may open one, how many, for how long, and what they do in trouble."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from gateway.app_keys import METRICS, VAULT
from gateway.session.event_streams import StreamLimits
from gateway.store.redis.budget import LIMITS
from servicekit.http.quiet_server import DRAIN_SECONDS
from servicekit.problems import problems_middleware
from tests.product.listeners import LONG, PATH, QUICK, gone, listening, streams_of
from tests.product.test_operation import answers, environment, process
from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.other_front_end import OtherFrontEnd
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
    streams = streams_of(world, looks=1)

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
