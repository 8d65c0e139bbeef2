"""While Graph hangs, what is refused was not sent, and is told as not saved (L10)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from resource_api import errors
from resource_api.graph import UPSTREAM, GraphMe, WriteUnclear
from resource_api.patience import Patience
from resource_api.profile import ProfilePatch
from servicekit.deadlines import Deadline
from servicekit.errors import NOT_SAVED
from servicekit.outbound import outbound
from servicekit.upstream import FAILURES
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.listening import listening

HANGS = replace(UPSTREAM, call_seconds=0.3)


@pytest.fixture
async def asked() -> list[str]:
    return []


@pytest.fixture
async def graph(asked: list[str]) -> AsyncIterator[GraphMe]:
    goes_on = asyncio.Event()

    async def hangs(request: web.Request) -> web.Response:
        asked.append(request.method)
        await goes_on.wait()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/me", hangs)
    async with listening(app) as url, outbound(ca_bundle=ONE_CERTIFICATE) as network:
        yield GraphMe(network.to(HANGS), url, patience=Patience())
        goes_on.set()


async def test_L10_a_write_that_the_breaker_refuses_was_never_sent_and_is_not_saved(
    graph: GraphMe, asked: list[str]
) -> None:
    deadline, patch = Deadline(60), ProfilePatch({"city": "Turin"})
    for _ in range(FAILURES):
        with pytest.raises(WriteUnclear):
            await graph.write("token", patch, "an-oid", deadline)
    sent = len(asked)

    with pytest.raises(errors.DirectoryUnavailable) as refused:
        await graph.write("token", patch, "an-oid", deadline)
    assert refused.value.members["outcome"] == NOT_SAVED
    assert refused.value.headers["Retry-After"] == "1"
    with pytest.raises(errors.DirectoryUnavailable):
        await graph.read("token", deadline)
    assert len(asked) == sent
