"""Calls to other servers: no cookies, no redirects, no endless waits, and the address map beneath them."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.listening import listening

seen: list[web.Request] = []


async def echo(request: web.Request) -> web.StreamResponse:
    seen.append(request)
    return web.json_response(
        {"host": request.host, "cookie": request.headers.get("Cookie"), "query": dict(request.query)},
        headers={"Set-Cookie": "fpc=secret; Path=/", "Retry-After": request.query.get("wait", "")},
    )


async def redirect(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("https://evil.example/")


async def slow(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def large(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * int(request.query["size"]))


async def bomb(_request: web.Request) -> web.StreamResponse:
    response = web.Response(body=b" " * 30_000_000)
    response.enable_compression(web.ContentCoding.gzip)
    return response


@pytest.fixture
async def server() -> AsyncIterator[str]:
    app = web.Application()
    for handler in (echo, redirect, slow, trickle, cut, large, bomb):
        app.router.add_get(f"/{handler.__name__}", handler)
    async with listening(app) as url:
        yield url


@pytest.fixture
async def network(server: str) -> AsyncIterator[Outbound]:
    async with outbound(AddressMap({"graph.microsoft.com": server}), ONE_CERTIFICATE) as network:
        yield network


async def failure(network: Outbound, url: str, seconds: float = 5) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await network.send("GET", url, timeout_seconds=seconds)
    return caught.value


async def test_S36_no_cookie_is_kept(network: Outbound, server: str) -> None:
    for _ in range(2):
        reply = await network.send("GET", f"{server}/echo")
        assert reply.json()["cookie"] is None


async def test_S46_a_redirect_is_an_answer_and_not_an_order(network: Outbound, server: str) -> None:
    assert (await network.send("GET", f"{server}/redirect")).status == 302


async def test_the_map_moves_the_connection_and_keeps_the_name(network: Outbound) -> None:
    reply = await network.send("GET", "https://graph.microsoft.com/echo?a=b")

    assert (reply.json()["host"], reply.json()["query"]) == ("graph.microsoft.com", {"a": "b"})


@pytest.mark.parametrize("path", ["slow", "trickle"])
async def test_a_wait_has_an_end_even_when_bytes_trickle(network: Outbound, server: str, path: str) -> None:
    start = time.perf_counter()
    error = await failure(network, f"{server}/{path}", 0.3)

    assert (error.reason, error.maybe_done) == ("timeout", True)
    assert time.perf_counter() - start < 3


async def test_a_cut_connection_may_have_done_the_work(network: Outbound, server: str) -> None:
    error = await failure(network, f"{server}/cut")

    assert (error.reason, error.maybe_done) == ("cut", True)


async def test_nobody_there_did_no_work(network: Outbound) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await failure(network, f"http://127.0.0.1:{unused.getsockname()[1]}/")

    assert (error.reason, error.maybe_done) == ("unreachable", False)


async def test_R18_a_server_that_lets_nobody_in_did_no_work() -> None:
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # its queue: whoever comes next is not even refused
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        async with outbound(ca_bundle=ONE_CERTIFICATE, connect_seconds=0.2) as network:
            error = await failure(network, f"http://127.0.0.1:{full.getsockname()[1]}/")

    assert (error.reason, error.maybe_done) == ("unreachable", False)


@pytest.fixture
def threaded_server() -> Iterator[str]:
    """A server that answers at once, however long our own loop stands still."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65_536)
                        connection.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                        )

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("turns", range(1, 8))
async def test_R18_time_in_which_our_own_loop_stood_still_is_not_the_other_side_s(
    threaded_server: str, turns: int
) -> None:
    async with outbound(ca_bundle=ONE_CERTIFICATE, connect_seconds=0.3) as network:
        sending = asyncio.create_task(network.send("GET", threaded_server, timeout_seconds=0.3))
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - the fault: nothing else runs meanwhile

        assert (await sending).status == 200


async def test_R18_who_stands_still_is_given_as_much_time_again_and_no_more(server: str) -> None:
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network:
        start = time.perf_counter()
        sending = asyncio.create_task(network.send("GET", f"{server}/slow", timeout_seconds=0.3))
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - the fault
        with pytest.raises(OutboundError, match="timeout"):
            await sending

    assert 0.85 <= time.perf_counter() - start < 4


async def test_answers_have_a_largest_size(network: Outbound, server: str) -> None:
    assert len((await network.send("GET", f"{server}/large?size=1000000")).body) == 1_000_000
    assert (await failure(network, f"{server}/large?size=1000001", 5)).reason == "too-large"
    assert (await failure(network, f"{server}/bomb", 5)).reason == "too-large"


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("7", 7),
        ("0", 0),
        ("99999", 3600),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("9" * 20, None),
    ],
)
async def test_retry_after_is_seconds_within_an_hour(
    network: Outbound, server: str, text: str, seconds: int | None
) -> None:
    reply = await network.send("GET", f"{server}/echo", params={"wait": text})

    assert reply.retry_after == seconds


async def test_a_reply_that_is_no_json_raises_value_error(network: Outbound, server: str) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        (await network.send("GET", f"{server}/large?size=3")).json()


# --- the map ----------------------------------------------------------------------------------------------------


def test_one_url_answers_for_every_host() -> None:
    addresses = AddressMap.parse(" http://127.0.0.1:8400/ ", ["A.example", "b.example:8443"])

    assert addresses.apply("https://a.example/x?y=1") == (
        "http://127.0.0.1:8400/x?y=1",
        {"Host": "a.example"},
    )
    assert addresses.apply("https://b.example:8443/") == (
        "http://127.0.0.1:8400/",
        {"Host": "b.example:8443"},
    )
    assert addresses.apply("https://other.example/") == ("https://other.example/", {})


def test_pairs_answer_for_their_host_alone() -> None:
    addresses = AddressMap.parse("a.example=http://127.0.0.1:1, B.example=https://c.example", [])

    assert addresses.apply("https://a.example/x")[0] == "http://127.0.0.1:1/x"
    assert addresses.apply("https://b.example/x")[0] == "https://c.example/x"
    assert addresses.apply("https://a.example.evil/x")[0] == "https://a.example.evil/x"
    assert addresses.apply("https://evil@a.example/x")[0] == "https://evil@a.example/x"


@pytest.mark.parametrize(
    "text", ["nonsense", "a=b", "=http://x", "a=", "a=ftp://x", "http://x/path", "a=http://x?q=1"]
)
def test_what_is_no_map_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not"):
        AddressMap.parse(text, ["h"])


def test_no_map_maps_nothing() -> None:
    assert AddressMap.parse("  ", ["h"]).apply("https://h/") == ("https://h/", {})
