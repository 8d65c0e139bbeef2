"""MSAL's transport: what it passes on, what it calls an outage, and what it notices (R14, R15, R21, S36)."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.authority_transport import CONNECT_SECONDS, Answer, AuthorityTransport
from servicekit.clock_watch import ClockWatch
from servicekit.errors import AuthorityUnavailable
from tests.unit.servicekit.authority import Clock
from tests.unit.servicekit.listening import listening

URL = "https://login.example.com/thing"


@dataclass
class Server:
    """One address that answers as told."""

    addresses: AddressMap
    transport: AuthorityTransport
    clock: Clock
    status: int = 200
    body: bytes = b'{"a":1}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    trickle: float = 0
    wall: Clock = field(default_factory=lambda: Clock(time.time()))
    seen: list[dict[str, str]] = field(default_factory=list)

    def give_up_after(self, seconds: float) -> None:
        """Let the transport wait so long for an answer, and not as long as in production."""
        self.transport.close()
        self.transport = AuthorityTransport(address_map=self.addresses, timeouts=(CONNECT_SECONDS, seconds))

    async def post(self) -> Answer:
        return await asyncio.to_thread(self.transport.post, URL, data={"grant_type": "x"})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        await asyncio.sleep(self.delay)
        if self.trickle:
            return await self._trickling(request)
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    async def _trickling(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(60):
            await response.write(b" ")
            await asyncio.sleep(self.trickle)
        return response


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    holder: list[Server] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        return await holder[0].answer(request)

    app = web.Application()
    app.router.add_route("*", "/thing", answer)
    async with listening(app) as url:
        clock, wall = Clock(0), Clock(time.time())
        addresses = AddressMap({"login.example.com": url})
        transport = AuthorityTransport(address_map=addresses, clocks=ClockWatch(now=wall, monotonic=clock))
        holder.append(Server(addresses, transport, clock, wall=wall))
        yield holder[0]
        holder[0].transport.close()


async def test_an_answer_is_status_text_and_headers(server: Server) -> None:
    answer = await server.post()

    assert (answer.status_code, json.loads(answer.text)) == (200, {"a": 1})
    assert server.seen[0]["host"] == "login.example.com"


async def test_a_refusal_is_an_answer(server: Server) -> None:
    server.status, server.body = 400, b'{"error":"invalid_grant"}'

    assert (await server.post()).status_code == 400


async def test_S36_cookies_are_dropped(server: Server) -> None:
    server.headers = {"Set-Cookie": "fpc=one-persons; Path=/"}
    await server.post()
    await server.post()

    assert "cookie" not in server.seen[1]


@pytest.mark.parametrize("status", [200, 400])
async def test_C7_retry_after_never_reaches_msals_throttle(server: Server, status: int) -> None:
    server.status, server.headers = status, {"Retry-After": "60", "X-Kept": "1"}
    answer = await server.post()

    assert {name.lower() for name in answer.headers} >= {"x-kept"}
    assert "retry-after" not in {name.lower() for name in answer.headers}


@pytest.mark.parametrize(
    "status, body, retry_after",
    [
        (429, b'{"error":"temporarily_unavailable"}', 9),
        (500, b'{"error":"server_error"}', 9),
        (502, b"<html>", 9),
        (503, b"", 9),
        (200, b"<html>", None),
        (200, b"", None),
        (200, b"[]", None),
        (200, b"null", None),
        (200, b"\xff", None),
        (200, b"[" * 100_000, None),
        (400, b"<html>", None),
        (302, b"", 9),
        (302, b'{"access_token":"x"}', 9),
        (204, b"", 9),
        (201, b'{"access_token":"x"}', 9),
        (200, b" " * 1_000_001, None),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_R15_what_says_nothing_about_the_person_is_an_outage(
    server: Server, status: int, body: bytes, retry_after: int | None
) -> None:
    server.status, server.body = status, body
    server.headers = {"Retry-After": "9"} | ({"Location": "https://evil.example"} if status == 302 else {})

    with pytest.raises(AuthorityUnavailable) as caught:
        await server.post()
    assert caught.value.retry_after == retry_after
    assert len(server.seen) == 1


async def test_R14_a_silent_authority_is_left_after_the_time_out(server: Server) -> None:
    server.delay = 8
    server.give_up_after(0.3)
    start = time.perf_counter()

    with pytest.raises(AuthorityUnavailable):
        await server.post()
    assert time.perf_counter() - start < 6


async def test_nobody_there_is_an_outage() -> None:
    transport = AuthorityTransport(timeouts=(0.5, 0.5))

    with pytest.raises(AuthorityUnavailable):
        await asyncio.to_thread(transport.post, "http://127.0.0.1:9/", data={})
    transport.close()


async def test_R14_an_answer_that_trickles_is_left_as_well(server: Server) -> None:
    server.trickle = 0.1
    server.give_up_after(0.5)
    start = time.perf_counter()

    with pytest.raises(AuthorityUnavailable, match="trickles"):
        await server.post()
    assert time.perf_counter() - start < 6


async def test_R14_an_answer_that_came_while_our_process_was_stopped_is_read() -> None:
    clock, readings = Clock(0), list[float]()

    def read_clock() -> float:
        readings.append(clock.now)
        return clock.now

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        asked = len(readings)
        await response.prepare(request)
        await response.write(b" ")
        while len(readings) == asked:  # noqa: ASYNC110 - the other side reads in a thread
            await asyncio.sleep(0.01)
        clock.now += 3600
        await response.write(b'{"access_token":"t"}')
        return response

    app = web.Application()
    app.router.add_post("/", answer)
    async with listening(app) as url:
        transport = AuthorityTransport(now=read_clock)
        read = await asyncio.to_thread(transport.post, f"{url}/", data={})
        transport.close()

    assert read.is_granted


def test_msal_is_given_the_metadata_and_fetches_none() -> None:
    answer = AuthorityTransport().with_metadata('{"issuer":"x"}').get("https://login.example.com/any")

    assert (answer.status_code, answer.text) == (200, '{"issuer":"x"}')


@pytest.mark.parametrize("apart", [-600, -90, 90, 600])
async def test_R21_a_clock_that_differs_is_told_once_an_hour(
    server: Server, apart: float, caplog: pytest.LogCaptureFixture
) -> None:
    server.wall.now = time.time() + apart
    for _ in range(3):
        await server.post()

    (record,) = (record for record in caplog.records if record.message == "clocks-differ")
    assert record.levelname == "WARNING"
    assert abs(vars(record)["event_fields"]["seconds"] - apart) <= 2
    server.clock.now += 3600
    await server.post()
    assert [record.message for record in caplog.records].count("clocks-differ") == 2


@pytest.mark.parametrize(
    "date", ["", "soon", "Sat, 32 Nov 2026 00:00:00 GMT", "Sat, 21 Nov 2026 22:00:00 -0000"]
)
async def test_R21_a_date_that_says_nothing_is_passed_over(server: Server, date: str) -> None:
    server.headers = {"Date": date}

    assert (await server.post()).status_code == 200


async def test_R21_a_minute_is_not_worth_a_word(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.wall.now = time.time() + 50
    await server.post()

    assert "clocks-differ" not in caplog.text


async def test_many_threads_share_it(server: Server) -> None:
    names: set[str] = set()

    def ask() -> None:
        names.add(threading.current_thread().name)
        server.transport.post(URL, data={})

    await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(20)))
    assert len(server.seen) == 20
    assert len(names) > 1
