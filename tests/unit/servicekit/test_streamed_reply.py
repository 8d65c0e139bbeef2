"""Exchanges whose bodies stream: what is sent to the letter, who is waited for, and how answers break off."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from servicekit.errors import Overloaded
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.upstream import Upstream
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import Answer, Asked, RawUpstream, head, ok, saying
from tests.unit.servicekit.streams import networks, opened, upstreams, whole


@pytest.fixture
async def network() -> AsyncIterator[Outbound]:
    async with networks() as network:
        yield network


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    async with upstreams() as upstream:
        yield upstream


async def failure(way: Outbound, upstream: RawUpstream, answer: Answer, method: str = "GET") -> OutboundError:
    upstream.answer = answer
    with pytest.raises(OutboundError) as caught:
        await whole(await opened(way, upstream.url + "/", method))
    return caught.value


@pytest.mark.parametrize(
    "target", ["/", "/7?x=%20", "/a%2E;v=1//b%7e?", "/?", "/n?q=a+b&c=?&d=%ff", "/caf%C3%A9/'(!)*"]
)
async def test_a_target_goes_out_byte_for_byte(network: Outbound, upstream: RawUpstream, target: str) -> None:
    assert await whole(await opened(network, upstream.url + target)) == b"here"

    assert upstream.asked[0].first_line == f"GET {target} HTTP/1.1"


async def test_nothing_is_said_for_whoever_did_not_say_it(network: Outbound, upstream: RawUpstream) -> None:
    reply = await opened(network, upstream.url, "POST", body=b"x", fields={"If-Match": '"a"'})
    await whole(reply)

    (asked,) = upstream.asked
    assert set(asked.fields) == {"host", "if-match", "user-agent", "content-length"}
    assert (asked.first_line, await asked.body()) == ("POST / HTTP/1.1", b"x")


async def test_a_body_is_read_as_it_comes_and_compressed_as_it_is(
    network: Outbound, upstream: RawUpstream
) -> None:
    goes_on, packed = asyncio.Event(), gzip.compress(b" " * 1_000_000)

    async def answer(asked: Asked) -> None:
        await asked.say(head(f"Content-Length: {len(packed)}", "Content-Encoding: gzip"), packed[:3])
        await goes_on.wait()
        await asked.say(packed[3:])

    upstream.answer = answer
    reply = await opened(network, upstream.url)
    body = reply.pieces(PATIENCE)
    assert (reply.status, await anext(body)) == (200, packed[:3])
    goes_on.set()

    assert b"".join([piece async for piece in body]) == packed[3:]
    reply.close()


BROKEN: dict[str, Answer] = {
    "less than its length": saying(head("Content-Length: 9") + b"four", then_close=True),
    "chunks without an end": saying(head("Transfer-Encoding: chunked") + b"4\r\nfour\r\n", then_close=True),
    "half of a chunk": saying(head("Transfer-Encoding: chunked") + b"9\r\nfour", then_close=True),
    "half of a head": saying(b"HTTP/1.1 200 OK\r\nContent-", then_close=True),
    "nothing": saying(then_close=True),
}
"""Answers that end in the middle."""


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_ends_in_the_middle_is_cut(
    network: Outbound, upstream: RawUpstream, answer: Answer
) -> None:
    assert (await failure(network, upstream, answer, "POST")).reason == "cut"


@pytest.mark.parametrize(
    "said", [b"", head("Content-Length: 9") + b"four", head("Connection: close") + b"four"]
)
async def test_a_reset_is_a_cut_also_where_the_end_of_the_connection_is_the_end_of_the_body(
    network: Outbound, upstream: RawUpstream, said: bytes
) -> None:
    read = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.say(said)
        if said:
            await read.wait()
        asked.reset()

    async def read_to_the_end() -> None:
        reply = await opened(network, upstream.url, "POST")
        body = reply.pieces(PATIENCE)
        try:
            assert await anext(body) == b"four"
            read.set()
            await anext(body)
        finally:
            reply.close()

    upstream.answer = answer
    with pytest.raises(OutboundError, match="cut"):
        await read_to_the_end()


NO_HTTP: dict[str, bytes] = {
    "0.9": b"<html>here</html>\r\n\r\n",
    "101": head("Upgrade: foo", "Connection: Upgrade", status=101),
    "length and chunks": head("Content-Length: 4", "Transfer-Encoding: chunked") + b"4\r\nhere\r\n0\r\n\r\n",
    "a chunk of no number": head("Transfer-Encoding: chunked") + b"4\r\nfour\r\nzz\r\n",
    "two lengths": head("Content-Length: 4", "Content-Length: 5") + b"here",
    "a length of no number": head("Content-Length: +4") + b"here",
    "ten thousand fields": head(*(f"X-{n}: x" for n in range(10_000)), "Content-Length: 4") + b"here",
    "a field of 100 kB": head(f"X-Large: {'x' * 100_000}", "Content-Length: 4") + b"here",
    "a name with a space": head("X Y: 1", "Content-Length: 4") + b"here",
    "more than its length": head("Content-Length: 4") + b"here and there\r\n\r\n",
}
"""What is no answer to anything."""


@pytest.mark.parametrize("said", NO_HTTP.values(), ids=NO_HTTP)
async def test_what_is_no_answer_is_none(network: Outbound, upstream: RawUpstream, said: bytes) -> None:
    assert (await failure(network, upstream, saying(said), "POST")).reason == "not-http"


@pytest.mark.parametrize(
    "said, status, body",
    [
        (
            b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + b"HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\n" + ok(),
            200,
            b"here",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (head(status=204), 204, b""),
        (head("Content-Length: 7", status=304), 304, b""),
        (head("Location: http://127.0.0.1:1/", "Content-Length: 0", status=303), 303, b""),
        (head("Content-Length: 0", status=599), 599, b""),
    ],
)
async def test_odd_answers_are_answers(
    network: Outbound, upstream: RawUpstream, said: bytes, status: int, body: bytes
) -> None:
    upstream.answer = saying(said, then_close=True)
    reply = await opened(network, upstream.url)

    assert (reply.status, await whole(reply)) == (status, body)


async def test_interim_answers_without_end_are_not_waited_for_for_ever(
    network: Outbound, upstream: RawUpstream
) -> None:
    async def answer(asked: Asked) -> None:
        while True:
            await asked.say(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0)  # one loop has both sides here

    upstream.answer = answer
    with pytest.raises(OutboundError, match="timeout"):
        await opened(network, upstream.url, seconds=0.2)


async def test_an_upstream_that_falls_silent_in_the_middle_is_given_up(
    network: Outbound, upstream: RawUpstream
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.say(head("Content-Length: 9") + b"four")
        await asked.left()

    upstream.answer = answer
    with pytest.raises(OutboundError, match="timeout"):
        await whole(await opened(network, upstream.url), silence=0.1)


async def test_whoever_closes_a_reply_or_is_cancelled_before_it_ends_the_exchange(
    network: Outbound, upstream: RawUpstream
) -> None:
    left: asyncio.Queue[str] = asyncio.Queue()

    async def answer(asked: Asked) -> None:
        if "/body" in asked.first_line:
            await asked.say(head("Content-Length: 9") + b"four")
        await asked.left()
        left.put_nowait(asked.first_line)

    upstream.answer = answer
    (await opened(network, f"{upstream.url}/body")).close()
    assert "/body" in await asyncio.wait_for(left.get(), PATIENCE)

    waiting = asyncio.create_task(opened(network, f"{upstream.url}/head"))
    async with asyncio.timeout(PATIENCE):
        while len(upstream.asked) < 2:  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0.01)
    waiting.cancel()
    assert "/head" in await asyncio.wait_for(left.get(), PATIENCE)


async def test_L10_open_replies_are_counted_and_take_no_place_from_calls(
    network: Outbound, upstream: RawUpstream
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.say(
            head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" if "/long" in asked.first_line else ok()
        )

    upstream.answer = answer
    way = network.to(Upstream("narrow", call_seconds=PATIENCE, connections=1, waiting=0, open_replies=2))
    replies = [await opened(way, f"{upstream.url}/long") for _ in range(2)]
    assert (await way.send("GET", f"{upstream.url}/short")).status == 200
    with pytest.raises(Overloaded):
        await opened(way, f"{upstream.url}/short")
    assert len(upstream.asked) == 3, "nothing was sent"

    for reply in replies:
        reply.close()
        reply.close()
    assert await whole(await opened(way, f"{upstream.url}/short")) == b"here"


async def test_a_reply_that_comes_when_its_caller_was_told_of_a_pause_is_closed(
    network: Outbound, upstream: RawUpstream
) -> None:
    now, answers, left = [100.0], asyncio.Event(), asyncio.Event()
    way = network.to(Upstream("back", call_seconds=0.1), now=lambda: now[0])

    async def hangs(_asked: Asked) -> None:
        await asyncio.sleep(PATIENCE)

    async def late(asked: Asked) -> None:
        await answers.wait()
        await asked.say(head("Transfer-Encoding: chunked") + b"1\r\nx\r\n")
        await asked.left()
        left.set()

    upstream.answer = hangs
    for _ in range(3):
        with pytest.raises(OutboundError):
            await opened(way, upstream.url, seconds=0.1)
    upstream.answer = late
    now[0] += 2
    with pytest.raises(OutboundError, match="paused"):
        await opened(way, upstream.url)
    answers.set()

    await asyncio.wait_for(left.wait(), PATIENCE)
