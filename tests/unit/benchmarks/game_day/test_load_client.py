"""The load client counts every request once, by what became of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from benchmarks.game_day.load_client import (
    ask_again_and_again,
    ask_by_new_connections,
    ask_once_each,
    held_open,
    request,
)
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

ASKED: Final = request("localhost:3000", "session=1", "/api/session")
GOOD: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
FULL: Final = b'HTTP/1.1 503 No\r\ncontent-length: 31\r\n\r\n{"type": "/problems/overloaded"}'[:-1] + b"}"
CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
LAST: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serving) -> AsyncIterator[int]:
    """Give the port of a server that does this with each connection, and has done so at the end of the block."""
    serving: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client went
        finally:
            writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(asyncio.gather(*serving), PATIENCE)


def answering(*answers: bytes) -> Serving:
    """Serve one answer after the other, the last one again and again."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting = list(answers)
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(waiting[0])
            if len(waiting) > 1:
                waiting.pop(0)

    return serve


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


@pytest.mark.parametrize("answer", [GOOD, CHUNKED, LAST])
async def test_an_answer_is_read_whatever_its_form(answer: bytes) -> None:
    async with served(answering(answer)) as port:
        told = await ask_once_each(port, [ASKED] * 3, patience=5)

    assert dict(told.counts) == {"200": 3}
    assert len(told.took) == len(told.good) == 3


async def test_a_problem_is_counted_by_its_type() -> None:
    async with served(answering(FULL)) as port:
        told = await ask_once_each(port, [ASKED], patience=5)

    assert dict(told.counts) == {"503 overloaded": 1}
    assert told.good == []
    assert told.number("overloaded") == told.number("503") == 1


async def test_who_is_not_answered_is_counted_by_how() -> None:
    async with served(silent) as quiet, served(cutting) as cut:
        told = await ask_once_each(quiet, [ASKED] * 2, patience=0.1)
        told.add(await ask_once_each(cut, [ASKED], patience=5))
    told.add(await ask_once_each(free_port(), [ASKED], patience=5))

    assert dict(told.counts) == {"no answer": 2, "connection reset": 1, "connection refused": 1}
    assert told.unanswered == told.total == 4


async def test_a_load_goes_on_by_the_same_connections_and_by_new_ones_where_they_end() -> None:
    async with served(answering(GOOD)) as kept, served(answering(LAST)) as closed:
        first = await ask_again_and_again(kept, [ASKED], connections=2, seconds=0.2)
        second = await ask_again_and_again(closed, [ASKED], connections=2, seconds=0.2)

    for told in (first, second):
        assert set(told.counts) == {"200"}
        assert told.total > 2
        assert told.goodput > 0


async def test_new_connections_come_whatever_became_of_those_before() -> None:
    async with served(silent) as port:
        told = await ask_by_new_connections(port, [ASKED], every=0.02, seconds=0.1, patience=0.2)

    assert set(told.counts) == {"no answer"}
    assert told.total > 1


async def test_what_is_held_open_stays_open_while_the_block_runs() -> None:
    ended: list[bool] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await reader.read()
        ended.append(True)

    async with served(serve) as port, held_open(port, [ASKED, ASKED]) as answers:
        assert [b" 200 " in line for line in answers] == [True, True]
        gone = await ask_once_each(port, [ASKED], patience=0.1)
        assert gone.all_are("200"), "without a length, an answer is over with its head"
        assert len(ended) <= 1

    assert len(ended) == 3
