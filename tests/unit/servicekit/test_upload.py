"""Bodies that are sent as they come: whose time it is, and what becomes of an exchange when one breaks off."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.upload import Upload
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import Asked, RawUpstream, head, ok, saying
from tests.unit.servicekit.streams import networks, opened, upstreams, whole


@pytest.fixture
async def network() -> AsyncIterator[Outbound]:
    async with networks() as network:
        yield network


@pytest.fixture
async def upstream() -> AsyncIterator[RawUpstream]:
    async with upstreams() as upstream:
        yield upstream


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


@pytest.mark.parametrize("length", [6, None])
async def test_an_upload_goes_out_piece_by_piece(
    network: Outbound, upstream: RawUpstream, length: int | None
) -> None:
    came: list[bytes] = []

    async def answer(asked: Asked) -> None:
        came.append(await (asked.body() if length else asked.chunked()))
        await asked.say(ok())

    upstream.answer = answer
    await whole(await opened(network, upstream.url, "PUT", body=Upload(pieces(b"abc", b"def"), length)))

    fields = upstream.asked[0].fields
    assert came == [b"abcdef"]
    assert (fields.get("content-length"), fields.get("transfer-encoding")) == (
        ("6", None) if length else (None, "chunked")
    )


async def test_whoever_sends_slowly_takes_no_time_from_the_upstream(
    network: Outbound, upstream: RawUpstream
) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b"):
            # Longer than the upstream is given: there is no event in time that passes.
            await asyncio.sleep(0.4)
            yield piece

    async def answer(asked: Asked) -> None:
        await asked.chunked()
        await asked.say(ok())

    upstream.answer = answer

    assert (
        await whole(await opened(network, upstream.url, "POST", body=Upload(slowly()), seconds=0.3))
        == b"here"
    )


async def test_an_upstream_that_takes_no_more_of_an_upload_is_waited_for_no_longer_than_for_a_head(
    network: Outbound, upstream: RawUpstream
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(65_536)

    async def answer(_asked: Asked) -> None:
        await asyncio.sleep(PATIENCE)

    upstream.answer = answer
    with pytest.raises(OutboundError) as caught:
        await opened(network, upstream.url, "POST", body=Upload(endless()), seconds=0.2)

    assert (caught.value.reason, caught.value.maybe_done) == ("timeout", True)


class SenderLeft(Exception):
    """The source of an upload broke off."""


async def breaking(after: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    yield b"abc"
    if after:
        await after.wait()
    raise SenderLeft


@pytest.mark.parametrize("length", [6, None])
async def test_S49_what_an_upload_fails_with_is_raised_and_the_other_side_sees_no_whole_request(
    network: Outbound, upstream: RawUpstream, length: int | None
) -> None:
    ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def answer(asked: Asked) -> None:
        ended.set_result(await asked.reader.read(-1))

    upstream.answer = answer
    with pytest.raises(SenderLeft):
        await opened(network, upstream.url, "POST", body=Upload(breaking(), length))

    came = await asyncio.wait_for(ended, PATIENCE)
    assert not came.endswith(b"0\r\n\r\n")


async def test_an_upload_that_fails_after_the_head_breaks_the_answer_off(
    network: Outbound, upstream: RawUpstream
) -> None:
    breaks = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.say(head("Transfer-Encoding: chunked"), b"4\r\nhalf\r\n")
        await asked.left()

    upstream.answer = answer
    reply = await opened(network, upstream.url, "POST", body=Upload(breaking(breaks)))
    body = reply.pieces(PATIENCE)
    assert await anext(body) == b"half"
    breaks.set()

    with pytest.raises(SenderLeft):
        await anext(body)
    reply.close()


async def test_an_answer_that_comes_before_the_whole_upload_counts(
    network: Outbound, upstream: RawUpstream
) -> None:
    never = asyncio.Event()
    upstream.answer = saying(
        head("Content-Length: 9", "Connection: close", status=413) + b"too large", then_close=True
    )

    reply = await opened(network, upstream.url, "POST", body=Upload(breaking(never)))

    assert (reply.status, await whole(reply)) == (413, b"too large")
