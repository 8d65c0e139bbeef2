"""How long the server keeps a connection, and how much it reads of a head before there is a request."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from servicekit.http.quiet_server import KEEP_ALIVE_SECONDS, QuietRunner
from tests.stage.patience import PATIENCE

Serve = Callable[..., Awaitable[int]]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Give what starts a server on a free port."""
    runners: list[QuietRunner] = []

    async def start(**options: Any) -> int:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(text="here")

        app = web.Application()
        app.router.add_route("*", "/", answer)
        runner = QuietRunner(app, service="gateway", drain_seconds=0.1, **options)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port: int = runner.addresses[0][1]
        return port

    yield start
    for runner in runners:
        await runner.cleanup()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    (length,) = [int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
    await reader.readexactly(length)
    return head


def test_X4_an_idle_connection_outlives_a_load_balancers() -> None:
    assert KEEP_ALIVE_SECONDS > 60


async def test_X4_an_idle_connection_is_closed_when_its_time_is_over_and_not_before(serve: Serve) -> None:
    async with connected(await serve(keep_alive_seconds=0.5)) as (reader, writer):
        for _ in range(2):
            writer.write(GET)
            assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
        idle_since = time.monotonic()

        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""

        assert time.monotonic() - idle_since >= 0.4


@pytest.mark.parametrize(
    "fields, limit",
    [
        (b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(40)), {"largest_head": 1_000}),
        (b"a:b\r\n" * 2_000 + b"\r\n", {}),
        (b"a: " + b"x" * 70_000 + b"\r\n\r\n", {}),
    ],
    ids=["small pieces without an end", "more fields than anybody sends", "one field"],
)
async def test_X8_a_head_is_bounded_as_a_whole(serve: Serve, fields: bytes, limit: dict[str, int]) -> None:
    async with connected(await serve(**limit)) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + fields)

        answer = await asyncio.wait_for(reader.read(), PATIENCE)

        assert answer.split(b" ")[1] == b"431"
        assert b"/problems/request-header-fields-too-large" in answer


async def test_X8_a_large_body_is_no_large_head(serve: Serve) -> None:
    async with connected(await serve(largest_head=1_000)) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200"), "answered before the body is there"
        for _ in range(100):
            writer.write(b"x" * 1_000)
            await writer.drain()
        writer.write(GET)

        assert (await read_answer(reader)).startswith(b"HTTP/1.1 200")
