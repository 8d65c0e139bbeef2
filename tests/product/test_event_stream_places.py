"""Places for streams of events: how many a session, a person and a process have, and that each is given back."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from gateway.app_keys import EVENT_STREAMS
from gateway.session.event_streams import StreamLimits
from servicekit.http.quiet_server import QuietRunner
from servicekit.problems import problems_middleware
from tests.product.listeners import PATH, QUICK, gone, listening, streams_of
from tests.stage.other_front_end import GRACE
from tests.stage.witnesses import ask, opened
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Give a world in which streams look at their sessions all the time."""
    return await make_world(stream_limits=QUICK)


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


async def test_L12_where_there_are_few_connections_streams_take_half_of_them_at_most(world: World) -> None:
    ada = await world.signed_in()
    live = await opened(world, ada)
    streams = streams_of(world, looks=9)

    async def handler(request: web.Request) -> web.StreamResponse:
        return await streams.serve(request, live)

    app = web.Application(middlewares=[problems_middleware()])
    app.router.add_get(PATH, handler)
    runner = QuietRunner(app, service="gateway", drain_seconds=0.1)
    await runner.setup()
    runner.connections.most = 4
    await web.TCPSite(runner, "localhost", 0).start()
    ada.gateway_url = f"http://localhost:{runner.addresses[0][1]}"
    try:
        async with AsyncExitStack() as pages:
            for _ in range(2):
                await pages.enter_async_context(listening(ada))
            assert (await ask(ada, "GET", PATH, {"X-CSRF": "1"})).slug == "too-many-requests"
    finally:
        streams.stop()
        await runner.cleanup()
