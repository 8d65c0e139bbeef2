"""What the tests of exchanges that stream share: a way to a raw upstream, and reading what it answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from servicekit.outbound import Outbound, outbound
from servicekit.streamed_reply import StreamedReply
from servicekit.upload import Upload
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import RawUpstream, ok, raw_upstream, saying
from tests.stage.trust import ONE_CERTIFICATE


@asynccontextmanager
async def networks() -> AsyncIterator[Outbound]:
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network:
        yield network


@asynccontextmanager
async def upstreams() -> AsyncIterator[RawUpstream]:
    async with raw_upstream(saying(ok())) as upstream:
        yield upstream


async def opened(
    way: Outbound,
    url: str,
    method: str = "GET",
    *,
    body: bytes | Upload | None = None,
    seconds: float = PATIENCE,
    fields: dict[str, str] | None = None,
) -> StreamedReply:
    return await way.open(method, url, fields=(fields or {}).items(), body=body, head_seconds=seconds)


async def whole(reply: StreamedReply, silence: float = PATIENCE) -> bytes:
    try:
        return await reply.whole(10**9, silence)
    finally:
        reply.close()
