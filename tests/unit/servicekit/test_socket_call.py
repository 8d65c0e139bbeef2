"""Opening a WebSocket: what counts as one, and what becomes of everything else that a server may answer."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from servicekit.socket_call import SocketLimits, SocketReply, UpstreamSocket
from servicekit.upstream import Upstream
from tests.stage.ports import free_port
from tests.stage.trust import ONE_CERTIFICATE

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ACCEPTED = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"

Head = dict[str, str]


@asynccontextmanager
async def answering(text: str, after: bytes = b"") -> AsyncIterator[tuple[str, list[Head]]]:
    """Serve one answer, byte for byte, with the right one for `{accept}`; give the address and the heads that came."""
    heads: list[Head] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])
        }
        heads.append({"": head[0], **fields})
        key = fields["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324 - RFC 6455 says so
        writer.write(text.replace("{accept}", accept).encode() + after)
        if text:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/chat/a%2db?x=%20", heads


@pytest.fixture
async def way() -> AsyncIterator[Outbound]:
    """Give the way to an upstream."""
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network:
        yield network.to(Upstream("chat", call_seconds=5))


@pytest.fixture
def open_at(way: Outbound) -> "Open":
    """Give what asks for a socket at an address, offering subprotocols `a` and `b`."""

    async def open_at(url: str, seconds: float = 5) -> SocketReply:
        return await way.sockets.open(
            url,
            headers={"Authorization": "Bearer secret"},
            subprotocols=("a", "b"),
            seconds=seconds,
            limits=SocketLimits(close=0.2),
        )

    return open_at


Open = Callable[..., Awaitable[SocketReply]]


def opened(reply: SocketReply) -> UpstreamSocket:
    """Return the socket that was opened."""
    assert reply.socket
    return reply.socket


async def test_what_is_sent_is_a_handshake_and_no_more(open_at: Open) -> None:
    async with answering(f"HTTP/1.1 101 Welcome\r\n{ACCEPTED}\r\n") as (url, heads):
        reply = await open_at(url)
        assert reply.status == 101
        await opened(reply).close()

    (head,) = heads
    assert head.pop("") == "GET /chat/a%2db?x=%20 HTTP/1.1"
    assert len(base64.b64decode(head.pop("sec-websocket-key"))) == 16
    assert head.pop("host")
    assert head.pop("user-agent")
    assert head == {
        "authorization": "Bearer secret",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-protocol": "a,b",
    }


@pytest.mark.parametrize(
    "fields, chosen", [("", None), ("Sec-WebSocket-Protocol: b\r\n", "b"), ("Server: x\r\n", None)]
)
async def test_the_subprotocol_is_what_the_server_chose(
    open_at: Open, fields: str, chosen: str | None
) -> None:
    async with answering(f"HTTP/1.1 101 Welcome\r\n{ACCEPTED}{fields}\r\n") as (url, _):
        socket = opened(await open_at(url))
        assert socket.protocol == chosen
        await socket.close()


async def test_what_comes_with_the_answer_is_heard(open_at: Open) -> None:
    early = b"\x81\x02hi"
    after = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with answering(f"{after}HTTP/1.1 101 Welcome\r\n{ACCEPTED}\r\n", early) as (url, _):
        socket = opened(await open_at(url))
        assert (await socket.receive()).data == b"hi"
        await socket.close()


NONE = {
    "no proof": "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a wrong proof": "HTTP/1.1 101 X\r\n"
    + ACCEPTED.replace("{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    + "\r\n",
    "no Upgrade": "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "an Upgrade to something else": f"HTTP/1.1 101 X\r\n{ACCEPTED.replace('websocket', 'h2c')}\r\n",
    "no Connection": "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "a subprotocol that nobody offered": f"HTTP/1.1 101 X\r\n{ACCEPTED}Sec-WebSocket-Protocol: c\r\n\r\n",
    "a subprotocol in other letters": f"HTTP/1.1 101 X\r\n{ACCEPTED}Sec-WebSocket-Protocol: A\r\n\r\n",
    "two subprotocols": f"HTTP/1.1 101 X\r\n{ACCEPTED}Sec-WebSocket-Protocol: a, b\r\n\r\n",
    "two fields of them": f"HTTP/1.1 101 X\r\n{ACCEPTED}"
    "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\r\n",
    "no name of one": f"HTTP/1.1 101 X\r\n{ACCEPTED}Sec-WebSocket-Protocol: \r\n\r\n",
    "an extension": f"HTTP/1.1 101 X\r\n{ACCEPTED}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    "a refusal without end": "HTTP/1.1 500 X\r\nContent-Length: 65537\r\n\r\n" + "x" * 65_537,
}


@pytest.mark.parametrize("what", NONE)
async def test_what_was_not_asked_offered_or_proven_is_no_websocket(open_at: Open, what: str) -> None:
    async with answering(NONE[what]) as (url, _):
        with pytest.raises(OutboundError) as failed:
            await open_at(url)

    assert failed.value.reason == ("too-large" if what == "a refusal without end" else "not-a-websocket")
    assert failed.value.maybe_done


@pytest.mark.parametrize("status", [200, 204, 302, 307, 401, 403, 404, 426, 429, 500, 503])
async def test_a_refusal_is_handed_on_whole_and_never_followed(open_at: Open, status: int) -> None:
    length = "" if status == 204 else "Content-Length: 4\r\n"
    fields = f"{length}X-One: 1\r\nContent-Encoding: gzip\r\nLocation: http://127.0.0.1:1/\r\n"
    body = "" if status == 204 else "body"
    async with answering(f"HTTP/1.1 {status} X\r\n{fields}\r\n{body}") as (url, heads):
        reply = await open_at(url)

    assert (reply.status, reply.body, reply.socket) == (status, body.encode(), None)
    assert reply.headers["X-One"] == "1"
    assert len(heads) == 1


async def test_a_server_that_says_nothing_in_time_is_given_up(open_at: Open) -> None:
    async with answering("HTTP/1.1 101 X\r\n") as (url, _):
        with pytest.raises(OutboundError) as failed:
            await open_at(url, seconds=0.1)

    assert failed.value.reason == "timeout"


@pytest.mark.parametrize("text", ["", "HTTP/1.1 101", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "\x16\x03\x01\r\n\r\n"])
async def test_what_is_no_http_is_a_fault(open_at: Open, text: str) -> None:
    async with answering(text) as (url, _):
        with pytest.raises(OutboundError):
            await open_at(url, seconds=0.5)


async def test_an_upstream_that_hangs_is_left_alone_and_one_that_refuses_is_not(open_at: Open) -> None:
    async with answering("HTTP/1.1 101 X\r\n") as (url, heads):
        for _ in range(4):
            with pytest.raises(OutboundError) as failed:
                await open_at(url, seconds=0.05)
    assert (failed.value.reason, failed.value.maybe_done) == ("paused", False)
    assert len(heads) == 3


async def test_refusals_are_answers_of_an_upstream_that_is_well(open_at: Open) -> None:
    async with answering("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n") as (url, heads):
        for _ in range(5):
            assert (await open_at(url)).status == 503
    assert len(heads) == 5


async def test_what_is_open_holds_no_call_up(way: Outbound) -> None:
    small = way.to(Upstream("small", call_seconds=5, connections=1, waiting=1, wait_seconds=0.1))
    async with answering(f"HTTP/1.1 101 Welcome\r\n{ACCEPTED}\r\n") as (url, _):
        limits = SocketLimits(close=0.2)
        sockets = [
            opened(await small.sockets.open(url, headers={}, subprotocols=(), seconds=5, limits=limits))
            for _ in range(3)
        ]
    for socket in sockets:
        await socket.close()


async def test_where_nobody_listens_nothing_was_sent(open_at: Open) -> None:
    with pytest.raises(OutboundError) as failed:
        await open_at(f"http://127.0.0.1:{free_port()}/")

    assert (failed.value.reason, failed.value.maybe_done) == ("unreachable", False)
