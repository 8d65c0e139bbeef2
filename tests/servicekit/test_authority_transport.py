"""MSAL's transport: what it passes on, what it calls an outage, and what it remembers (R14, R15, S36)."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.authority_transport import Answer, AuthorityTransport, AuthorityUnavailable
from tests.servicekit.authority import Clock
from tests.servicekit.listening import listening

URL = "https://login.example.com/thing"


@dataclass
class Server:
    """One address that answers as told."""

    transport: AuthorityTransport
    clock: Clock
    status: int = 200
    body: bytes = b'{"a":1}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    seen: list[dict[str, str]] = field(default_factory=list)

    async def get(self) -> Answer:
        return await asyncio.to_thread(self.transport.get, URL)

    async def post(self) -> Answer:
        return await asyncio.to_thread(self.transport.post, URL, data={"grant_type": "x"})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    holder: list[Server] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        return await holder[0].answer(request)

    app = web.Application()
    app.router.add_route("*", "/thing", answer)
    async with listening(app) as url:
        clock = Clock(0)
        transport = AuthorityTransport(
            address_map=AddressMap({"login.example.com": url}), timeouts=(2, 2), now=clock
        )
        holder.append(Server(transport, clock))
        yield holder[0]
        transport.close()


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
        (302, b"", None),
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
    start = time.perf_counter()

    with pytest.raises(AuthorityUnavailable):
        await server.post()
    assert time.perf_counter() - start < 6


async def test_nobody_there_is_an_outage() -> None:
    transport = AuthorityTransport(timeouts=(0.5, 0.5))

    with pytest.raises(AuthorityUnavailable):
        await asyncio.to_thread(transport.post, "http://127.0.0.1:9/", data={})
    transport.close()


async def test_metadata_is_remembered_for_an_hour_and_fetched_by_one(server: Server) -> None:
    server.delay = 0.1
    await asyncio.gather(*(server.get() for _ in range(8)))
    assert len(server.seen) == 1

    server.clock.now += 3599
    await server.get()
    assert len(server.seen) == 1
    server.clock.now += 1
    await server.get()
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [404, 500])
async def test_R16_metadata_outlives_an_outage(server: Server, status: int) -> None:
    good = await server.get()
    server.status = status
    server.clock.now += 100_000

    assert (await server.get()).text == good.text
    assert (await server.get()).text == good.text
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [404, 500])
async def test_metadata_that_never_came_is_an_outage(server: Server, status: int) -> None:
    server.status = status

    for _ in range(2):
        with pytest.raises(AuthorityUnavailable):
            await server.get()


async def test_many_threads_share_it(server: Server) -> None:
    names: set[str] = set()

    def ask() -> None:
        names.add(threading.current_thread().name)
        server.transport.post(URL, data={})

    await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(20)))
    assert len(server.seen) == 20
    assert len(names) > 1
