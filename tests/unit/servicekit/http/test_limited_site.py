"""Connections are taken as many as there may be, and those that are in no request make room (L12)."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stage.certificates import Flaw, server_context
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.site import GET, HALF, LARGE, Serve, until
from tests.unit.servicekit.service_log import service_log


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Give what a server proves itself with, and what believes it."""
    context, bundle = server_context(tmp_path, Flaw())
    return context, ssl.create_default_context(cafile=bundle)


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    with service_log() as written:
        yield written.lines


async def test_L12_whoever_was_quiet_for_longest_makes_room_for_the_next(serve: Serve) -> None:
    server = await serve(most=3)
    server.runner.connections.in_use_seconds = 0  # all of them are as if they had been quiet for long
    first, second, third = [await server.client() for _ in range(3)]
    for client in (first, second, third, first):
        assert " 200 " in await client.answer(GET)

    newcomer = await server.client()

    assert " 200 " in await newcomer.answer(GET)
    assert await second.was_closed()
    for client in (first, third, newcomer):
        assert " 200 " in await client.answer(GET)
    assert (len(server.runner.connections), server.runner.connections.closed_for_room) == (3, 1)


@pytest.mark.parametrize("said", [b"", HALF], ids=["nothing", "half of a head"])
async def test_L12_a_hundred_who_said_too_little_shut_nobody_out(serve: Serve, said: bytes) -> None:
    server = await serve(most=4)
    quiet = []
    for _ in range(100):
        quiet.append(await server.client())
        quiet[-1].writer.write(said)

    assert " 200 " in await (await server.client()).answer(GET)
    assert len(server.runner.connections) <= 4
    assert await quiet[0].was_closed()


async def test_L12_whose_request_is_under_way_makes_no_room_and_the_next_waits(serve: Serve) -> None:
    server = await serve(most=2)
    working = [await server.work() for _ in range(2)]
    newcomer = await server.client()  # the system has it
    waiting = asyncio.create_task(newcomer.answer(GET))
    await until(lambda: server.runner.connections.is_waited_for)

    server.may_end.set()

    heads = [await client.answer() for client in working]
    assert [" 200 " in head for head in heads] == [True, True]
    assert "Connection: close" in heads[0], "it says that it is the last, where somebody waits"
    assert " 200 " in await waiting
    assert server.runner.connections.closed_for_room == 0


async def test_L12_where_connections_in_use_must_make_room_answers_say_that_they_are_the_last(
    serve: Serve,
) -> None:
    server = await serve(most=2)
    first, second = [await server.client() for _ in range(2)]
    for client in (first, second):
        assert "Connection: close" not in await client.answer(GET)

    third = await server.client()

    assert await first.was_closed()
    assert "Connection: close" in await third.answer(GET)
    assert "Connection: close" in await second.answer(GET)


async def test_L12_the_limit_is_told_once(serve: Serve, log: Callable[[], list[dict[str, Any]]]) -> None:
    server = await serve(most=2)
    for _ in range(20):
        assert " 200 " in await (await server.client()).answer(GET)

    (line,) = [line for line in log() if line["event"] == "connections-at-limit"]
    assert (line["levelname"], line["most"]) == ("WARNING", 2)


async def test_L12_a_head_that_trickles_is_ended_with_an_answer(serve: Serve) -> None:
    server = await serve(most=4, head_seconds=0.3)
    client = await server.client()
    client.writer.write(HALF)

    head = await asyncio.wait_for(client.reader.read(), PATIENCE)

    assert head.split()[1] == b"408"
    body = json.loads(head.partition(b"\r\n\r\n")[2])
    assert body["type"] == "/problems/request-timeout"


async def test_L12_a_head_in_pieces_that_comes_in_time_is_answered_and_so_is_the_next_one(
    serve: Serve,
) -> None:
    server = await serve(most=4, head_seconds=0.5)
    client = await server.client()
    for _ in range(2):
        client.writer.write(GET[:10])
        await client.writer.drain()
        await asyncio.sleep(0.05)
        assert " 200 " in await client.answer(GET[10:])
    await asyncio.sleep(0.6)  # longer than a head may take: nothing of the heads before is left over

    assert " 200 " in await client.answer(GET)


async def test_L12_an_answer_that_nobody_takes_does_not_keep_its_connection(serve: Serve) -> None:
    server = await serve(most=4, unread=1.0)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(server.runner.addresses[0])
        deaf.sendall(LARGE)
        await until(lambda: len(server.runner.connections) == 1)

        await until(lambda: len(server.runner.connections) == 0)


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"], ids=["kept alive", "the last answer"])
async def test_L12_an_answer_that_is_taken_drop_by_drop_makes_room_once_it_had_its_time(
    serve: Serve, last: bytes
) -> None:
    server = await serve(most=1)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect(server.runner.addresses[0])
        slow.sendall(LARGE.replace(b"Host: x\r\n", b"Host: x\r\n" + last))
        await until(lambda: [one.is_unread for one in server.handlers] == [True])
        newcomer = await server.client()
        waiting = asyncio.create_task(newcomer.answer(GET))
        await until(lambda: server.runner.connections.is_waited_for)
        assert slow.recv(10), "it has its time: nobody ends it for the newcomer"

        server.runner.connections.unread_seconds = 0

        assert " 200 " in await waiting


async def test_L12_handshakes_that_do_not_end_shut_nobody_out(
    serve: Serve, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    ours, theirs = contexts
    server = await serve(most=4, tls=ours)
    quiet = [await server.client() for _ in range(40)]

    person = await server.client(tls=theirs)

    assert " 200 " in await person.answer(GET)
    assert await quiet[0].was_closed()
    assert len(server.runner.connections) <= 4


async def test_L12_who_speaks_no_tls_is_counted_no_more(
    serve: Serve, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = await serve(most=4, tls=contexts[0])
    client = await server.client()
    client.writer.write(GET)

    await client.reader.read()
    await until(lambda: len(server.runner.connections) == 0)


async def test_whoever_sends_on_after_a_refusal_still_reads_it_by_tls_as_well(
    serve: Serve, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    ours, theirs = contexts
    client = await (await serve(most=4, tls=ours)).client(tls=theirs)

    assert await client.answer(b"GET /" + b"x" * 1_000_000) != ""
