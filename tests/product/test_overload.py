"""More requests than a gateway can work on, and an event loop that comes late (L1)."""

import asyncio
import select
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest

from gateway.app_keys import METRICS
from gateway.profile.rows import Patience as ProfilePatience
from gateway.session.event_streams import STREAM_LIMITS
from tests.product.listeners import listening
from tests.stage.http_wire import HttpRequest, asks
from tests.stage.interruptions import Hold
from tests.stage.network import Network
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import reads_a_session
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
MOST, LINE, CROWD = 4, 1, 40
CSRF = {"X-CSRF": "1"}


@pytest.fixture
async def world(make_world: MakeWorld, network: Network) -> World:
    """Give a gateway that works on four requests at once, and goes through the network.

    Whoever stands in line or asks Graph waits as long as the test: how long that is has tests of its own.
    """
    return await make_world(
        network=network,
        admission_wait=PATIENCE,
        profile_patience=ProfilePatience(PATIENCE, PATIENCE),
        MAX_REQUESTS=str(MOST),
    )


@pytest.fixture
async def crowd() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client with a connection for each request."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as crowd:
        yield crowd


async def ask(
    crowd: aiohttp.ClientSession, ada: OtherFrontEnd, path: str = "/api/session"
) -> tuple[int, str]:
    """Ask as Ada; return the status, and the problem's slug."""
    cookies = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    async with crowd.get(ada.gateway_url + path, headers={**CSRF, **cookies}) as answer:
        body = await answer.json(content_type=None)
        return answer.status, str(body.get("type", "")).removeprefix("/problems/")


async def shows(world: World, line: str) -> None:
    """Wait until the metrics have a line."""
    async with asyncio.timeout(PATIENCE):
        while f"{line}\n" not in world.app[METRICS].drawn().decode():  # noqa: ASYNC110 - metrics are looked at, as by Prometheus
            await asyncio.sleep(0.01)


async def full(
    world: World, network: Network, crowd: aiohttp.ClientSession, ada: OtherFrontEnd
) -> tuple[Hold[HttpRequest], list[asyncio.Task[tuple[int, str]]]]:
    """Let requests of Ada's take all places and the line; they stay there until Graph is released."""
    held = network.authority.hold(asks("GET", "/me"), times=None)
    within = [asyncio.create_task(ask(crowd, ada, "/api/profile")) for _ in range(MOST + LINE)]
    await held.reached(MOST)
    await shows(world, f'stepup_requests_in_work{{places="work"}} {float(MOST)}')
    await shows(world, f'stepup_requests_waiting{{places="work"}} {float(LINE)}')
    return held, within


async def test_L1_of_forty_requests_four_are_worked_on_one_waits_and_the_rest_is_told_so_before_redis_is_asked(
    world: World, network: Network, crowd: aiohttp.ClientSession
) -> None:
    ada = await world.signed_in()
    looks = network.redis.watch(reads_a_session)
    held, within = await full(world, network, crowd, ada)

    told = await asyncio.gather(*(ask(crowd, ada) for _ in range(CROWD - MOST - LINE)))

    assert Counter(told) == {(503, "overloaded"): CROWD - MOST - LINE}
    assert len(looks.met) == MOST, "nothing was asked for them"
    held.release()
    assert Counter(await asyncio.gather(*within)) == {(200, ""): MOST + LINE}
    await shows(world, 'stepup_requests_in_work{places="work"} 0.0')
    await shows(world, f'stepup_requests_refused_total{{places="work"}} {float(CROWD - MOST - LINE)}')


async def test_L1_sign_out_pages_and_health_get_on_while_everybody_else_is_refused(
    world: World, network: Network, crowd: aiohttp.ClientSession
) -> None:
    ada, grace = await world.signed_in(), await world.front_end()
    await grace.sign_in(GRACE)
    page = await grace.leave("/auth/sign-in?return_to=/edit")
    held, within = await full(world, network, crowd, ada)

    for path in ("/", "/app.js", "/api/openapi.json", "/health/live", "/health/ready"):
        async with crowd.get(world.gateway_url + path) as answer:
            assert answer.status == 200, path
    assert (await ada.call("GET", "/api/session")).slug == "overloaded"
    async with crowd.get(f"{world.gateway_url}/auth/sign-in", headers={"Accept": "text/html"}) as answer:
        assert (answer.status, answer.content_type) == (503, "text/html"), "a page that stands by itself"
        assert int(answer.headers["Retry-After"]) >= 1
        assert "load this page again" in await answer.text()
    assert await grace.come_back(page) == "/edit", "a sign-in that is all but done is not lost"
    assert (await grace.call("POST", "/auth/sign-out")).status == 200

    held.release()
    assert Counter(await asyncio.gather(*within)) == {(200, ""): MOST + LINE}


async def test_L1_streams_hold_no_place_while_they_listen(world: World, crowd: aiohttp.ClientSession) -> None:
    ada = await world.signed_in()
    async with AsyncExitStack() as pages:
        for _ in range(STREAM_LIMITS.of_session):
            stream = await pages.enter_async_context(listening(ada))
            await stream.next()
        await shows(world, 'stepup_requests_in_work{places="work"} 0.0')

        assert await ask(crowd, ada) == (200, "")


async def test_L1_a_crowd_on_a_loop_that_stands_still_is_served_and_nobody_hears_of_redis(
    make_world: MakeWorld, valkey: str, crowd: aiohttp.ClientSession
) -> None:
    world = await make_world(REDIS_URL=valkey)  # with the time-outs of production
    ada = await world.signed_in()

    async def stand_still() -> None:
        while True:
            select.select([], [], [], 0.3)  # the loop stands, and no core is kept busy by it
            await asyncio.sleep(0)

    busy = asyncio.create_task(stand_still())
    told = await asyncio.gather(*(ask(crowd, ada) for _ in range(200)))
    busy.cancel()

    assert Counter(told) == {(200, ""): 200}
    assert 'stepup_breaker_open{breaker="redis"} 0.0' in world.app[METRICS].drawn().decode()
