"""A request's body, bounded in size and in time, over real sockets (S50)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from servicekit.errors import BodyTooLarge, RequestTimedOut
from servicekit.http.bodies import read_bytes
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

LARGEST = 8


async def read_back(request: web.Request) -> web.Response:
    try:
        body = await read_bytes(request, largest=LARGEST, seconds=float(request.query["seconds"]))
    except BodyTooLarge:
        return web.Response(text="too large")
    except RequestTimedOut:
        return web.Response(text="too slow")
    return web.Response(text=f"read {body.decode()}")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Give the port of a server that says how it read a body."""
    app = web.Application()
    app.router.add_post("/", read_back)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield port
    await runner.cleanup()


@pytest.mark.parametrize(
    "head, body, answer",
    [
        ("Content-Length: 8", "12345678", "read 12345678"),
        ("Content-Length: 0", "", "read "),
        ("Transfer-Encoding: chunked", "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n", "read 12345678"),
        ("Content-Length: 9", "", "too large"),
        ("Transfer-Encoding: chunked", "4\r\n1234\r\n5\r\n56789\r\n", "too large"),
        ("Transfer-Encoding: chunked", "9\r\n123456789\r\n0\r\n\r\n", "too large"),
        ("Transfer-Encoding: chunked", "0\r\n\r\n", "read "),
        ("Content-Length: 8", "1234567", "too slow"),
        ("Transfer-Encoding: chunked", "4\r\n1234\r\n4\r\n56", "too slow"),
    ],
    ids=[
        "whole",
        "none",
        "whole in chunks",
        "announced as larger",
        "larger",
        "larger, and all there",
        "none in chunks",
        "never finished",
        "a chunk missing",
    ],
)
async def test_S50_a_body_is_small_and_soon_there(port: int, head: str, body: str, answer: str) -> None:
    seconds = 0.1 if answer == "too slow" else 10
    line = f"POST /?seconds={seconds} HTTP/1.1"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{line}\r\nHost: here\r\nConnection: close\r\n{head}\r\n\r\n{body}".encode())
        # aiohttp waits a while for the rest before it closes: the answer is there before.
        head_of_answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode().lower()
        length = int(head_of_answer.partition("content-length: ")[2].partition("\r\n")[0])
        received = (await reader.readexactly(length)).decode()
    finally:
        writer.close()
        await writer.wait_closed()

    assert received == answer
