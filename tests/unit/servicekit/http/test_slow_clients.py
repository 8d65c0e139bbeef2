"""Clients that take places and time: nobody else waits for them, and each has an end (A3, S52)."""

import asyncio
import json
import socket
import time
from itertools import cycle

import pytest
from aiohttp import web

from servicekit.http.client_networks import CLIENT_NETWORKS, ClientNetworks
from tests.stage.loopback import loopback_addresses
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.site import GET, HALF, WORK, Client, Serve, Server, until

MOST = 64
"""Places of the servers here: one network gets three quarters, 48 of them."""
SHARE = 48


async def fill(server: Server, count: int, *sources: str, work: bool = False) -> list[Client]:
    """Connect so many times, in turns from each source; with a request that does not end, or without a word."""
    made = []
    for _, source in zip(range(count), cycle(sources), strict=False):
        made.append(await (server.work(source=source) if work else server.client(source=source)))
    await until(lambda: len(server.runner.connections) >= min(count, SHARE))
    return made


async def test_A3_S52_who_says_nothing_is_closed_without_an_answer_and_later_than_the_head_of_others(
    serve: Serve,
) -> None:
    server = await serve(most=4, first_byte_seconds=0.3)
    silent = await server.client()
    began = time.monotonic()

    assert await asyncio.wait_for(silent.reader.read(), PATIENCE) == b"", "a browser would show an answer"
    assert time.monotonic() - began >= 0.25
    await until(lambda: len(server.runner.connections) == 0)


async def test_A3_S52_the_first_byte_begins_the_time_of_the_head_anew(serve: Serve) -> None:
    server = await serve(most=4, first_byte_seconds=0.6, head_seconds=30)
    late = await server.client()
    late.writer.write(HALF)
    await until(lambda: any(one.unread > 0 for one in server.handlers))
    await asyncio.sleep(0.8)  # past the time for the first byte, which came

    assert " 200 " in await late.answer(b"st: x\r\n\r\n")


async def test_A3_S52_between_requests_the_keep_alive_time_holds_and_not_that_of_the_first_byte(
    serve: Serve,
) -> None:
    server = await serve(most=4, first_byte_seconds=0.2, keep_alive_seconds=30)
    client = await server.client()
    assert " 200 " in await client.answer(GET)
    await asyncio.sleep(0.4)  # longer than the first byte may take

    assert " 200 " in await client.answer(GET)


async def test_A3_S52_a_proxy_of_ours_may_connect_in_advance(serve: Serve) -> None:
    server = await serve(most=4, first_byte_seconds=0.2, trusted=("127.0.0.1",))
    proxy = await server.client()
    await asyncio.sleep(0.4)  # longer than a stranger's first byte may take

    assert " 200 " in await proxy.answer(GET)


@pytest.mark.parametrize("work", [False, True], ids=["silent", "at work"])
async def test_A3_S52_one_network_never_has_all_places_and_others_get_theirs_at_once(
    serve: Serve, *, work: bool
) -> None:
    hog, other = loopback_addresses(2)
    server = await serve(most=MOST)
    mine = await fill(server, SHARE, hog, work=work)

    refused = await server.client(source=hog)
    others = [await server.client(source=other) for _ in range(12)]

    for client in others:
        assert " 200 " in await client.answer(GET)
    if work:
        assert await refused.was_closed(), "all of its own are at work, and nobody else makes room for it"
        assert server.runner.connections.refused == 1
        server.may_end.set()
        assert all([" 200 " in await client.answer() for client in mine]), "and none of those lost its place"
    else:
        assert " 200 " in await refused.answer(GET)
        assert await mine[0].was_closed(), "its own quietest made room"


async def test_A3_S52_nobody_loses_a_place_to_a_network_that_has_many(serve: Serve) -> None:
    hog, other = loopback_addresses(2)
    server = await serve(most=MOST)
    person = await server.client(source=other)
    assert " 200 " in await person.answer(GET)

    for _ in range(3 * MOST):
        await server.client(source=hog)
    await until(lambda: server.runner.connections.closed_for_room >= 2 * MOST)

    assert "Connection: close" not in await person.answer(GET), "nor is a person sent away for it"
    assert " 200 " in await person.answer(GET)


async def test_A3_S52_where_all_places_are_taken_the_network_with_most_makes_room(serve: Serve) -> None:
    hog, *others = loopback_addresses(8)
    server = await serve(most=MOST)
    first = await server.client(source=others[0])  # the quietest of all
    await fill(server, SHARE - 1, hog)
    more = [await server.client(source=source) for source in others for _ in range(3)]

    newcomer = await server.client(source=others[-1])

    assert " 200 " in await newcomer.answer(GET)
    for client in (first, *more):
        assert " 200 " in await client.answer(GET)
    assert len(server.runner.connections) <= MOST


async def test_A3_S52_behind_a_proxy_of_ours_all_places_are_everybodys(serve: Serve) -> None:
    server = await serve(most=MOST, trusted=("127.0.0.0/24",))

    working = await fill(server, MOST, "127.0.0.1", work=True)

    server.may_end.set()
    assert all([" 200 " in await client.answer() for client in working])
    assert server.runner.connections.refused == 0


async def test_A3_S52_new_settings_say_at_once_who_is_a_proxy_of_ours(serve: Serve) -> None:
    server = await serve(most=MOST)
    later = web.Application()
    later[CLIENT_NETWORKS] = ClientNetworks(["127.0.0.0/24"])

    before = server.runner.networks().of("127.0.0.1")
    await server.runner.exchange(later)

    assert (before, server.runner.networks().of("127.0.0.1")) == ("127.0.0.0/24", None)


async def test_A3_S52_a_thousand_requests_at_once_are_answered_in_order_and_others_do_not_wait(
    serve: Serve,
) -> None:
    server = await serve(most=4)
    pipelining = await server.client()
    pipelining.writer.write(GET * 1_000)
    person = await server.client()

    assert " 200 " in await person.answer(GET)
    for _ in range(1_000):
        assert " 200 " in await pipelining.answer()


async def test_A3_S52_who_was_answered_before_the_body_came_makes_room(serve: Serve) -> None:
    server = await serve(most=MOST)
    slow = await fill(server, SHARE, "127.0.0.1")
    for client in slow:
        assert " 405 " in await client.answer(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx")

    person = await server.client()

    assert " 200 " in await person.answer(GET)
    assert await slow[0].was_closed(), "it waits for the rest of a body that nobody wants"
    assert server.runner.connections.refused == 0


async def test_A3_S50_S52_a_million_chunks_that_nobody_wants_cost_nothing(serve: Serve) -> None:
    server = await serve(most=4)
    client = await server.client()
    head = await client.answer(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    began = time.thread_time()

    for _ in range(100):
        client.writer.write(b"1\r\nx\r\n" * 10_000)
        await client.writer.drain()
    client.writer.write(b"0\r\n\r\n")

    assert await client.was_closed(), "as soon as they end"
    assert (" 405 " in head, "Connection: close" in head) == (True, True)
    assert time.thread_time() - began < 0.5, "of computing; the parser alone would take twice as long"


async def test_A3_S52_whose_chunks_end_with_the_request_keeps_the_connection(serve: Serve) -> None:
    server = await serve(most=4)
    client = await server.client()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert "Connection: close" not in await client.answer(head + b"1\r\nx\r\n0\r\n\r\n")
    assert " 200 " in await client.answer(GET)


async def test_A3_S52_who_closes_one_half_behind_a_request_keeps_no_place(serve: Serve) -> None:
    server = await serve(most=4)
    half = await server.client()
    half.writer.write(WORK)
    half.writer.write_eof()

    await asyncio.wait_for(server.at_work.acquire(), PATIENCE)
    await until(lambda: len(server.runner.connections) == 0)
    server.may_end.set()


@pytest.mark.parametrize("head", [b"GET /api/session\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
async def test_A3_S52_what_is_no_http_of_today_has_an_end(serve: Serve, head: bytes) -> None:
    server = await serve(most=4, head_seconds=0.3)
    client = await server.client()
    client.writer.write(head)

    answer = await asyncio.wait_for(client.reader.read(), PATIENCE)

    assert answer.split(b" ")[1] in {b"400", b"408"}
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] in {400, 408}


async def test_A3_S52_an_address_that_is_gone_before_it_is_let_in_does_no_harm(serve: Serve) -> None:
    server = await serve(most=4)
    for _ in range(20):
        with socket.create_connection(server.runner.addresses[0]) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    assert " 200 " in await (await server.client()).answer(GET)
