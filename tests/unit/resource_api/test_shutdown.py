"""R19: what is under way is finished before the service ends."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from local_tenant.signing import SigningKey
from resource_api.app import create_app
from resource_api.patience import Patience
from servicekit.http.quiet_server import QuietRunner
from tests.stage.tenant import claims_of
from tests.unit.resource_api.graph_double import Act, graph_double
from tests.unit.resource_api.stage import running_api, settings_for


async def test_R19_a_write_under_way_is_finished(signing_keys: Callable[[], SigningKey]) -> None:
    async with graph_double() as double, running_api(signing_keys, graph=double.url) as stage:
        token = await stage.token()
        double.profile["id"] = claims_of(token)["oid"]
        double.patches = [Act(delay=0.5)]
        hosts = f"stepuplocal.ciamlogin.com={stage.world.url},graph.microsoft.com={double.url}"
        app = create_app(settings_for(hosts), patience=Patience(), now=stage.clock)
        runner = QuietRunner(app, service="resource_api", drain_seconds=5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        headers = {"Authorization": f"Bearer {token}"}

        async def edit() -> int:
            async with stage.session.patch(
                f"{url}/profile", json={"city": "Turin"}, headers=headers
            ) as answer:
                await answer.read()
                return answer.status

        arrived = asyncio.Event()

        async def note() -> None:
            arrived.set()

        double.after_patch = note
        editing = asyncio.ensure_future(edit())
        await arrived.wait()
        start = time.perf_counter()
        await runner.cleanup()

        assert await editing == 200
        assert time.perf_counter() - start < 4
        with pytest.raises(aiohttp.ClientConnectorError):
            await edit()
