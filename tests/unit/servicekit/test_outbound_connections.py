"""Connections to a server: who uses which again, when each ends, and that nothing lies in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from servicekit.upload import Upload
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import Asked, RawUpstream, head, ok, saying
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.streams import networks, opened, upstreams, whole


@pytest.fixture
async def network() -> AsyncIterator[Outbound]:
    async with networks() as network:
        yield network


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    async with upstreams() as upstream:
        yield upstream


async def test_exchanges_that_follow_each_other_go_by_one_connection(
    network: Outbound, upstream: RawUpstream
) -> None:
    for _ in range(5):
        await whole(await opened(network, upstream.url))

    assert upstream.connections == 1


async def test_the_connection_that_was_used_last_is_used_first(
    network: Outbound, upstream: RawUpstream
) -> None:
    asked_by: list[asyncio.StreamWriter] = []

    async def answer(asked: Asked) -> None:
        asked_by.append(asked.writer)
        await asked.say(ok())

    upstream.answer = answer
    replies = [await opened(network, upstream.url) for _ in range(3)]
    for reply in replies:
        await whole(reply)
    await whole(await opened(network, upstream.url))

    assert asked_by[3] is asked_by[2]


async def in_pieces(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


def bodies() -> list[tuple[str, bytes | Upload | None]]:
    return [("GET", None), ("POST", b"abc"), ("PUT", Upload(in_pieces(b"abc"), 3))]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "before", [0, 1, 2], ids=["before it is asked", "before it is begun", "before it goes out"]
)
async def test_S46_what_came_unasked_and_was_not_read_yet_is_nobodys_answer(
    network: Outbound, upstream: RawUpstream, number: int, before: int
) -> None:
    asked_by: list[asyncio.StreamWriter] = []
    method, body = bodies()[number]

    async def answer(asked: Asked) -> None:
        asked_by.append(asked.writer)
        await asked.say(ok())

    upstream.answer = answer
    await whole(await opened(network, upstream.url))
    # It is in the socket at once: before the next request is asked for, or between that and its going out.
    asking = asyncio.ensure_future(opened(network, upstream.url, method, body=body)) if before else None
    for _ in range(before - 1):
        await asyncio.sleep(0)
    asked_by[0].write(head("Content-Length: 4") + b"evil")

    reply = await (asking or opened(network, upstream.url, method, body=body))
    assert await whole(reply) == b"here"
    assert [asked.first_line.split()[0] for asked in upstream.asked[1:]] == [method]


async def test_a_request_that_is_given_up_before_it_goes_out_is_not_sent(
    network: Outbound, upstream: RawUpstream
) -> None:
    await whole(await opened(network, upstream.url))
    asking = asyncio.ensure_future(opened(network, upstream.url, "POST", body=b"abc"))
    await asyncio.sleep(0)  # it is asked, and goes out at the end of this turn
    asking.cancel()
    await asyncio.wait([asking])
    await whole(await opened(network, upstream.url))

    assert [asked.first_line for asked in upstream.asked] == ["GET / HTTP/1.1"] * 2


async def test_a_connection_that_its_server_closed_is_not_used(
    network: Outbound, upstream: RawUpstream
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.say(ok())
        asked.writer.close()
        await asked.writer.wait_closed()
        closed.set()

    closed = asyncio.Event()
    upstream.answer = answer
    for _ in range(3):
        closed.clear()
        assert await whole(await opened(network, upstream.url, "POST")) == b"here"
        await asyncio.wait_for(closed.wait(), PATIENCE)
        await asyncio.sleep(0)

    assert [asked.first_line for asked in upstream.asked] == ["POST / HTTP/1.1"] * 3


async def test_idle_connections_end_with_the_network(upstream: RawUpstream) -> None:
    ended = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.say(ok())
        if not await asked.reader.read(1):
            ended.set()

    upstream.answer = answer
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network:
        await whole(await opened(network, upstream.url))
        assert not ended.is_set()

    await asyncio.wait_for(ended.wait(), PATIENCE)


async def test_R9_what_a_slow_reader_has_not_read_lies_at_the_server(
    network: Outbound, upstream: RawUpstream
) -> None:
    said, stopped = [0], asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.say(head("Content-Length: 100000000"))
        for _ in range(1000):
            asked.writer.write(bytes(100_000))
            try:
                await asyncio.wait_for(asked.writer.drain(), 0.3)
            except TimeoutError:
                break
            said[0] += 100_000
        stopped.set()
        await asked.left()

    upstream.answer = answer
    reply = await opened(network, upstream.url)
    await asyncio.wait_for(stopped.wait(), PATIENCE)
    held = len(reply.rest())
    reply.close()

    assert held < 500_000
    assert said[0] < 50_000_000, "the rest lies in the two systems' own buffers"


async def test_R9_what_a_slow_server_has_not_taken_is_not_asked_for(
    network: Outbound, upstream: RawUpstream
) -> None:
    given = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 65_536
            yield bytes(65_536)

    async def answer(asked: Asked) -> None:
        asked.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(PATIENCE)

    upstream.answer = answer
    with pytest.raises(OutboundError, match="timeout"):
        await opened(network, upstream.url, "POST", body=Upload(source()), seconds=0.5)

    assert given < 50_000_000, "the rest lies in the two systems' own buffers"


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abc", b"defg"]])
async def test_S46_an_upload_of_another_length_than_announced_is_no_whole_request(
    network: Outbound, upstream: RawUpstream, pieces: list[bytes]
) -> None:
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    async def answer(asked: Asked) -> None:
        came.set_result(await asked.reader.read(-1))

    upstream.answer = answer
    with pytest.raises(OutboundError, match="cut"):
        await opened(network, upstream.url, "POST", body=Upload(source(), 6))

    assert len(await asyncio.wait_for(came, PATIENCE)) < 6


async def test_an_answer_before_the_end_of_the_upload_ends_the_connection_and_the_upload(
    network: Outbound, upstream: RawUpstream
) -> None:
    ended = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            await asyncio.sleep(PATIENCE)
        finally:
            ended.set()

    upstream.answer = saying(head("Content-Length: 4", status=413) + b"here")
    reply = await opened(network, upstream.url, "POST", body=Upload(source()))
    assert (reply.status, await whole(reply)) == (413, b"here")
    await asyncio.wait_for(ended.wait(), PATIENCE)
    await whole(await opened(network, upstream.url, "POST"))

    assert upstream.connections == 2


@pytest.mark.parametrize("turns", range(6))
async def test_R9_whoever_leaves_at_whatever_moment_leaves_no_connection_in_use(
    network: Outbound, upstream: RawUpstream, turns: int
) -> None:
    hangs = asyncio.Event()

    async def answer(asked: Asked) -> None:
        if "/hangs" in asked.first_line:
            await hangs.wait()
        await asked.say(ok())

    upstream.answer = answer
    await whole(await opened(network, upstream.url))
    leaving = asyncio.create_task(opened(network, f"{upstream.url}/hangs"))
    for _ in range(turns):
        await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    hangs.set()

    assert await whole(await opened(network, f"{upstream.url}/next")) == b"here"
