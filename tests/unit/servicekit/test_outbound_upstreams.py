"""Upstreams on real sockets: each has connections, places and a breaker of its own (L10)."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from servicekit.errors import Overloaded
from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from servicekit.reply import Reply
from servicekit.upstream import FAILURES, OPEN_SECONDS, Upstream
from tests.stage.patience import PATIENCE
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.authority import Clock
from tests.unit.servicekit.listening import listening

HANGS, WELL = Upstream("hangs", call_seconds=0.4), Upstream("well", call_seconds=8)


class Server:
    """A server of which some answers wait until it is let go."""

    def __init__(self) -> None:
        self.url = ""
        self.goes_on = asyncio.Event()
        self.asked: list[str] = []
        self.status = 200

    async def hangs(self, request: web.Request) -> web.Response:
        self.asked.append(request.method)
        await self.goes_on.wait()
        return web.Response()

    async def answers(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/hangs", server.hangs)
    app.router.add_get("/well", server.answers)
    async with listening(app) as server.url:
        yield server
        server.goes_on.set()


@pytest.fixture
async def network() -> AsyncIterator[Outbound]:
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network:
        yield network


async def refused(way: Outbound, url: str, method: str = "GET", seconds: float = 10) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await way.send(method, url, timeout_seconds=seconds)
    return caught.value


async def test_L10_while_one_upstream_hangs_its_callers_are_told_at_once_and_others_never_notice(
    network: Outbound, server: Server
) -> None:
    clock, turns = Clock(100), list[bool]()
    hangs, well = network.to(HANGS, now=clock, on_turn=turns.append), network.to(WELL, now=clock)
    first = await asyncio.gather(*(refused(hangs, f"{server.url}/hangs") for _ in range(FAILURES)))
    assert {error.reason for error in first} <= {"timeout", "paused"}
    assert turns == [True]
    asked = len(server.asked)

    for method in ("GET", "PATCH"):
        error = await refused(hangs, f"{server.url}/hangs", method)
        assert (error.reason, error.maybe_done, error.retry_after) == ("paused", False, 1)
    assert len(server.asked) == asked, "nothing was sent"
    assert (await well.send("GET", f"{server.url}/well")).status == 200
    assert (await network.send("GET", f"{server.url}/well")).status == 200

    server.goes_on.set()
    clock.now += OPEN_SECONDS
    assert (await hangs.send("GET", f"{server.url}/hangs")).status == 200
    assert turns == [True, False]


async def test_L10_two_hundred_calls_that_hang_take_no_connection_from_another_upstream(
    network: Outbound, server: Server
) -> None:
    slow, well = network.to(Upstream("slow", call_seconds=20)), network.to(WELL)
    stuck = [asyncio.create_task(slow.send("GET", f"{server.url}/hangs")) for _ in range(210)]
    async with asyncio.timeout(PATIENCE):
        while len(server.asked) < len(stuck):  # noqa: ASYNC110 - each is on its way
            await asyncio.sleep(0.01)

    begun = time.monotonic()
    assert (await well.send("GET", f"{server.url}/well")).status == 200
    assert (await slow.send("GET", f"{server.url}/well")).status == 200, "nor from its own"
    assert time.monotonic() - begun < 5
    server.goes_on.set()
    assert {reply.status for reply in await asyncio.gather(*stuck)} == {200}


async def test_L10_a_call_that_finds_all_connections_in_use_is_not_sent_and_nobody_s_failure(
    network: Outbound, server: Server
) -> None:
    turns: list[bool] = []
    narrow = Upstream("narrow", call_seconds=20, connections=2, waiting=1, wait_seconds=0.1)
    way = network.to(narrow, on_turn=turns.append)
    stuck = [asyncio.create_task(way.send("PATCH", f"{server.url}/hangs")) for _ in range(2)]
    async with asyncio.timeout(PATIENCE):
        while len(server.asked) < len(stuck):  # noqa: ASYNC110 - each is on its way
            await asyncio.sleep(0.01)

    for _ in range(FAILURES + 1):
        with pytest.raises(Overloaded):
            await way.send("PATCH", f"{server.url}/hangs")
    assert (len(server.asked), turns) == (2, [])
    server.goes_on.set()
    await asyncio.gather(*stuck)


async def test_L10_whoever_is_not_there_is_left_alone_as_well(network: Outbound) -> None:
    turns: list[bool] = []
    way = network.to(WELL, on_turn=turns.append)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        for _ in range(FAILURES):
            assert (await refused(way, url)).reason == "unreachable"
        assert (await refused(way, url)).reason == "paused"

    assert turns == [True]


@pytest.mark.parametrize(
    "status, opens", [(504, True), (500, False), (503, False), (429, False), (404, False)]
)
async def test_L10_what_a_server_answers_is_no_failure_but_for_a_time_out_behind_it(
    network: Outbound, server: Server, status: int, *, opens: bool
) -> None:
    turns: list[bool] = []
    way, server.status = network.to(WELL, on_turn=turns.append), status

    replies: list[Reply] = [await way.send("GET", f"{server.url}/well") for _ in range(FAILURES)]
    assert {reply.status for reply in replies} == {status}
    assert bool(turns) is opens


async def test_L10_a_call_that_was_given_little_time_says_nothing_of_the_upstream(
    network: Outbound, server: Server
) -> None:
    turns: list[bool] = []
    way = network.to(WELL, on_turn=turns.append)
    for _ in range(FAILURES + 1):
        assert (await refused(way, f"{server.url}/hangs", seconds=0.05)).reason == "timeout"

    assert turns == []
