"""More requests than the API works on (L1)."""

import asyncio
import itertools

import aiohttp

from resource_api.app import create_app
from tests.unit.resource_api.stage import settings_for
from tests.unit.servicekit.listening import listening

MOST, LINE = 4, 1


async def answer_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Listen until the other side has enough."""
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_L1_the_api_tells_whom_it_cannot_take_before_it_looks_at_a_token() -> None:
    silent = await asyncio.start_server(answer_nothing, "127.0.0.1", 0)
    host, port = silent.sockets[0].getsockname()
    app = create_app(settings_for(f"http://{host}:{port}", max_requests=str(MOST)))
    # Its keys are asked for at an authority that is silent, so whoever has such a token waits with a place.
    token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsifQ.e30.c2ln"
    bearer = {"Authorization": f"Bearer {token}"}
    async with (
        listening(app) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
    ):

        async def edit() -> tuple[int, str]:
            async with client.patch(f"{url}/profile", json={"city": "Rome"}, headers=bearer) as answer:
                return answer.status, (await answer.json(content_type=None))["type"]

        asked = [asyncio.create_task(edit()) for _ in range(10 * MOST)]
        first = itertools.islice(asyncio.as_completed(asked), 10 * MOST - MOST - LINE)

        assert {await answer for answer in first} == {(503, "/problems/overloaded")}
        async with client.get(f"{url}/health/live") as live, client.get(f"{url}/health/ready") as ready:
            assert (live.status, ready.status) == (200, 200)
        for one in asked:
            one.cancel()
        await asyncio.wait(asked)
    silent.close()
    await silent.wait_closed()
