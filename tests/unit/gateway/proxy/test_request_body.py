"""Bodies on their way to an upstream: what is held, what follows, and the pace that their senders must keep."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.proxy.request_body import HELD_BYTES, read_ahead
from servicekit.problems import problems_middleware
from tests.stage.patience import PATIENCE
from tests.stage.raw_http import ask_raw, chunks

SECONDS = 0.4
"""Of a body, before its pace counts."""


async def tell(request: web.Request) -> web.Response:
    """Read a body as it is read for an upstream, and say how it came."""
    body = await read_ahead(request, most=300_000, seconds=SECONDS)
    sizes = [len(piece) async for piece in body.pieces()]
    told = {"held": len(body.held), "whole": body.is_whole, "length": body.length, "sum": sum(sizes)}
    return web.json_response({**told, "largest": max(sizes, default=0)})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application(middlewares=[problems_middleware()])
    app.router.add_post("/", tell)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def sent(url: str, body: bytes, *fields: tuple[str, str]) -> Any:
    return json.loads((await ask_raw(url, "POST", "/", fields, body)).body)


async def test_a_small_body_is_held_and_a_large_one_follows_in_pieces(url: str) -> None:
    small = await sent(url, b"abc", ("Content-Length", "3"))
    none = await sent(url, b"")
    announced = await sent(url, bytes(200_000), ("Content-Length", "200000"))
    parts = chunks(*(bytes(20_000) for _ in range(10)))
    chunked = await sent(url, parts, ("Transfer-Encoding", "chunked"))

    assert (small["held"], small["whole"], small["length"]) == (3, True, 3)
    assert (none["held"], none["whole"], none["sum"]) == (0, True, 0)
    assert (announced["held"], announced["whole"], announced["sum"]) == (0, False, 200_000)
    assert (chunked["length"], chunked["sum"]) == (None, 200_000)
    assert chunked["held"] > HELD_BYTES, "one piece more than what can be parked, at least"


async def trickled(url: str, framing: str, pieces: Iterable[bytes], pause: float) -> int:
    """Send a body slowly; return the answer's status."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
    answering = asyncio.ensure_future(reader.readline())
    for piece in pieces:
        writer.write(piece)
        if (await asyncio.wait([answering], timeout=pause))[0]:
            break
    status = int((await asyncio.wait_for(answering, PATIENCE)).split()[1])
    writer.close()
    return status


@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "Content-Length: 100000"])
async def test_S52_a_body_that_trickles_is_given_up_whether_it_is_held_or_follows(
    url: str, framing: str
) -> None:
    # Each piece comes in time, and all of them never would.
    piece = b"1\r\nx\r\n" if "chunked" in framing else b"x"

    assert await trickled(url, framing, itertools.repeat(piece, 10_000), 0.05) == 408


async def test_a_body_that_keeps_its_pace_may_take_longer(url: str) -> None:
    pieces = itertools.repeat(bytes(10_000), 10)

    assert await trickled(url, "Content-Length: 100000", pieces, 0.1) == 200
