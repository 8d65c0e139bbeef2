"""The server at its edge: what is no request, what asks for odd things, and callers who go away (S55)."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from servicekit.http.quiet_server import QuietRunner
from servicekit.problems import problems_middleware
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.service_log import ServiceLog, service_log


@dataclass
class Edge:
    """A server on a free port, and its log."""

    port: int
    log: ServiceLog

    async def ask(self, *pieces: bytes) -> bytes:
        """Send pieces, each when the one before has arrived, and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await _sent(writer, pieces)
            return await asyncio.wait_for(reader.read(), PATIENCE)
        finally:
            writer.close()

    async def left(self, *pieces: bytes) -> None:
        """Send pieces, go away in the middle, and wait until the server has noticed."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await _sent(writer, pieces)
        writer.transport.abort()
        await asyncio.wait_for(self.log.answered.wait(), PATIENCE)


async def _sent(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...]) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.fixture
def log() -> Iterator[ServiceLog]:
    with service_log("DEBUG") as log:
        yield log


@pytest.fixture
async def edge(log: ServiceLog) -> AsyncIterator[Edge]:
    async def keep(request: web.Request) -> web.Response:
        return web.json_response({"length": len(await request.read())})

    app = web.Application(middlewares=[problems_middleware()])
    app.router.add_post("/keep", keep)
    runner = QuietRunner(app, service="resource_api", drain_seconds=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Edge(runner.addresses[0][1], log)
    await runner.cleanup()


def post(*headers: str) -> bytes:
    return "\r\n".join(["POST /keep HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]).encode()


def problem(answer: bytes) -> dict[str, Any]:
    """Return the body of an answer that must be a problem without a word of the request."""
    assert b"canary" not in answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    members: dict[str, Any] = json.loads(body)
    return members


@pytest.mark.parametrize(
    "request_bytes",
    [b"canary\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nBad canary: x\r\n\r\n"],
    ids=["no request", "no header"],
)
async def test_S55_what_is_no_http_is_logged_as_a_request_and_alarms_nobody(
    edge: Edge, request_bytes: bytes
) -> None:
    assert problem(await edge.ask(request_bytes))["status"] == 400

    assert edge.log.alarms() == []
    (line,) = [line for line in edge.log.lines() if line["event"] == "request"]
    assert (line["route"], line["status"]) == ("unknown", 400)


@pytest.mark.parametrize("path", ["/keep", "/nowhere"])
async def test_S55_an_expectation_that_is_none_is_refused_without_an_echo(edge: Edge, path: str) -> None:
    request = post("Expect: canary", "Content-Length: 2").replace(b"/keep", path.encode()) + b"ab"

    members = problem(await edge.ask(request))

    assert (members["status"], members["type"]) == (417, "/problems/expectation-failed")


async def test_a_caller_who_asks_before_sending_is_told_to_go_on(edge: Edge) -> None:
    answer = await edge.ask(post("Expect: 100-continue", "Content-Length: 2"), b"ab")

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "pieces",
    [
        (post("Content-Length: 50"), b"canary"),
        (post("Transfer-Encoding: chunked"), b"6\r\ncanary\r\n"),
    ],
    ids=["shorter than it says", "without its last piece"],
)
async def test_S55_a_caller_who_goes_away_is_no_fault_of_ours(edge: Edge, pieces: tuple[bytes, ...]) -> None:
    await edge.left(*pieces)

    assert edge.log.alarms() == []
