"""MSAL's transport: what it passes on, what it calls an outage, and what it notices (R14, R15, R21, S36)."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from servicekit.authority_transport import Answer, AuthorityTransport
from servicekit.errors import AuthorityUnavailable
from servicekit.outbound import outbound
from tests.stage.patience import PATIENCE
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.asked_server import URL, asked_server
from tests.unit.servicekit.asked_server import AskedServer as Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with asked_server() as server:
        yield server


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


async def test_nobody_there_is_an_outage(server: Server) -> None:
    with pytest.raises(AuthorityUnavailable):
        await asyncio.to_thread(server.transport.post, "http://127.0.0.1:9/", data={})


async def test_R14_an_answer_that_trickles_is_left_as_well(server: Server) -> None:
    server.trickle = 0.1
    server.give_up_after(0.5)
    start = time.perf_counter()

    with pytest.raises(AuthorityUnavailable, match="timeout"):
        await server.post()
    assert time.perf_counter() - start < 6


async def test_R14_an_answer_that_came_while_our_process_was_stopped_is_read(server: Server) -> None:
    server.give_up_after(0.3)
    server.delay = 0.05
    asking = asyncio.ensure_future(server.post())
    while not server.seen:  # noqa: ASYNC110 - the server is asked, and is no event
        await asyncio.sleep(0)
    time.sleep(0.8)  # noqa: ASYNC251 - the fault: nothing else runs meanwhile

    assert (await asking).is_granted


def test_a_thread_that_waits_ends_with_the_network_and_none_waits_for_a_loop_that_has_ended() -> None:
    async def ask() -> tuple[AuthorityTransport, Future[Answer], str]:
        asked = asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()
            writer.close()

        async with (
            await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent,
            outbound(ca_bundle=ONE_CERTIFICATE) as network,
        ):
            transport = AuthorityTransport(network)
            url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
            asking = pool.submit(transport.post, url)
            await asked.wait()
        return transport, asking, url

    with ThreadPoolExecutor(1) as pool:
        transport, asking, url = asyncio.run(ask())
        with pytest.raises(AuthorityUnavailable):
            asking.result(PATIENCE)
        with pytest.raises(AuthorityUnavailable, match="the process ends"):
            transport.post(url)


async def test_what_would_be_two_requests_is_none(server: Server) -> None:
    for headers, url in (
        ({"X-AnchorMailbox": "Oid:a\r\nHost: evil.example"}, URL),
        ({"X": "a\n"}, URL),
        ({}, f"{URL} HTTP/1.1"),
    ):
        with pytest.raises(AuthorityUnavailable, match="ValueError"):
            await asyncio.to_thread(server.transport.post, url, headers=headers, data={"code": "secret"})

    assert server.seen == []


async def test_msal_is_given_the_metadata_and_fetches_none(server: Server) -> None:
    answer = server.transport.with_metadata('{"issuer":"x"}').get("https://login.example.com/any")

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
