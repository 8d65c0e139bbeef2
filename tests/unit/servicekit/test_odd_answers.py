"""Odd answers, judged by two other readers of HTTP: aiohttp's client reads the same, and h11 finds no other body."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import Asked, RawUpstream, head, raw_upstream, saying
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.streams import networks, opened, upstreams, whole

Read = tuple[int, bytes] | None
"""Status and body of an answer; None where it is none."""


@pytest.fixture
async def network() -> AsyncIterator[Outbound]:
    async with networks() as network:
        yield network


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    async with upstreams() as upstream:
        yield upstream


async def ours(network: Outbound, url: str, method: str) -> Read:
    try:
        reply = await network.open(method, url, fields=(), head_seconds=PATIENCE)
    except OutboundError:
        return None
    try:
        return reply.status, await reply.whole(10_000, PATIENCE)
    except OutboundError:
        return None
    finally:
        reply.close()


async def aiohttps(session: aiohttp.ClientSession, url: str, method: str) -> Read:
    try:
        async with session.request(method, url, allow_redirects=False) as response:
            return response.status, await response.read()
    except aiohttp.ClientError:
        return None


def h11s(said: bytes, method: str) -> Read:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        connection.receive_data(said)
        connection.receive_data(b"")
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return None
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
    except h11.RemoteProtocolError:
        return None
    return status, body


FIELDS = st.lists(
    st.sampled_from(
        [
            *("Content-Length: 4", "Content-Length: 4", "Content-Length: 7", "Content-Length: 0"),
            *("Content-Length: +4", "Content-Length: 4, 4", "Content-Length: ", "Content-Length:\t4"),
            *("Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: gzip"),
            *("Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, identity"),
            *("Connection: close", "Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2,h2c"),
            *("X: a", "X: a\r\n folded", "X : a", "X:", ": a", "X: \x01", "X: \xff", "Trailer: X"),
        ]
    ),
    max_size=4,
)
BODIES = st.sampled_from(
    [
        *(
            b"here",
            b"",
            b"her",
            b"here and",
            b"4\r\nhere\r\n0\r\n\r\n",
            b"4\r\nhere\r\n0\r\nX: trailer\r\n\r\n",
        ),
        *(
            b"4;ext=1\r\nhere\r\n0\r\n\r\n",
            b"04\r\nhere\r\n0\r\n\r\n",
            b"4\nhere\n0\n\n",
            b"g\r\n",
            b"4\r\nhereX",
        ),
        *(
            b"2\r\nhe\r\n2\r\nre\r\n0\r\n\r\n",
            b"-4\r\nhere\r\n",
            b"4 \r\nhere\r\n0\r\n\r\n",
            b"0x4\r\nhere\r\n",
        ),
    ]
)
FIRST_LINES = st.sampled_from(
    [
        *("HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 204 No", "HTTP/1.1 304 Not"),
        *(
            "HTTP/1.1 404 ",
            "HTTP/1.1 200",
            "HTTP/1.2 200 OK",
            "HTTP/2.0 200 OK",
            "HTTP/1.1 20 OK",
            "ICY 200 OK",
        ),
        *(
            "HTTP/1.1  200 OK",
            "http/1.1 200 OK",
            "HTTP/1.1 1000 OK",
            "HTTP/1.1 100 On\r\n\r\nHTTP/1.1 200 OK",
        ),
    ]
)


@settings(max_examples=40)
@given(
    answers=st.lists(
        st.tuples(FIRST_LINES, FIELDS, BODIES, st.sampled_from(["POST", "HEAD"])), min_size=4, max_size=8
    )
)
def test_S46_what_is_read_is_what_others_read(answers: list[tuple[str, list[str], bytes, str]]) -> None:
    async def compare() -> None:
        async with (
            raw_upstream(saying()) as upstream,
            outbound(ca_bundle=ONE_CERTIFICATE) as network,
            aiohttp.ClientSession() as session,
        ):
            for first, fields, body, method in answers:
                said = "\r\n".join([first, *fields, "", ""]).encode("latin-1") + body
                upstream.answer = saying(said, then_close=True)
                read = await ours(network, upstream.url, method)
                assert read == await aiohttps(session, upstream.url, method)
                strict = h11s(said, method)
                assert read is None or strict is None or read == strict, said

    asyncio.run(compare())


@pytest.mark.parametrize(
    "said, method, read",
    [
        # As Apache says of itself on any answer.
        (
            head("Upgrade: h2,h2c", "Connection: Upgrade", "Content-Length: 4") + b"here",
            "GET",
            (200, b"here"),
        ),
        (head("Content-Length: 9000"), "HEAD", (200, b"")),
        (head("Transfer-Encoding: chunked"), "HEAD", (200, b"")),
        (head("Transfer-Encoding: chunked", status=304), "GET", (304, b"")),
        (
            head("Transfer-Encoding: chunked") + b"4\r\nhere\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n",
            "GET",
            (200, b"here"),
        ),
    ],
)
async def test_an_answer_ends_where_it_ends_and_the_connection_goes_on(
    network: Outbound, upstream: RawUpstream, said: bytes, method: str, read: tuple[int, bytes]
) -> None:
    upstream.answer = saying(said)
    for _ in range(3):
        reply = await opened(network, upstream.url, method)
        assert (reply.status, await whole(reply)) == read
        assert "Set-Cookie" not in reply.headers

    assert upstream.connections == 1


@pytest.mark.parametrize(
    "after",
    [
        head("Content-Length: 4") + b"evil",
        b"HTTP/1.1 200 OK\r\nX-Evil: ",
        b"H",
        head(status=103),
        head("Content-Length: 4") + b"evil" + head("Content-Length: 4") + b"evil",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_S46_what_comes_in_one_piece_with_an_answer_ends_the_connection(
    network: Outbound, upstream: RawUpstream, method: str, after: bytes
) -> None:
    async def answer(asked: Asked) -> None:
        body = b"" if asked.first_line.startswith("HEAD") else b"here"
        await asked.say(head("Content-Length: 4") + body + after)

    upstream.answer = answer
    for _ in range(2):
        with contextlib.suppress(OutboundError):
            assert await whole(await opened(network, upstream.url, method)) in {b"here", b""}

    assert upstream.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        head("Connection: close", "Content-Length: 4") + b"here",
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nhere",
    ],
)
async def test_a_connection_that_is_said_to_end_is_not_used_again(
    network: Outbound, upstream: RawUpstream, said: bytes
) -> None:
    upstream.answer = saying(said)
    for _ in range(2):
        assert await whole(await opened(network, upstream.url)) == b"here"

    assert upstream.connections == 2
