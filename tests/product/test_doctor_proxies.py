"""The doctor warns of a proxy by which all traffic comes and that nobody named."""

import asyncio

from gateway.doctor.examination import examine
from gateway.edge.proxy_watch import FEWEST_REQUESTS
from servicekit.doctor.findings import Finding, Status
from tests.product.test_doctor import Configured, configured, the
from tests.stage.patience import PATIENCE
from tests.stage.world import World

__all__ = ["configured"]


async def test_A5_U27_a_proxy_that_nobody_named_is_warned_of_once_all_traffic_came_by_it(
    configured: Configured, world: World
) -> None:
    before = await examine(configured())
    person = await world.front_end()
    for _ in range(FEWEST_REQUESTS):
        async with person.session.get(world.gateway_url, headers={"X-Forwarded-For": "203.0.113.9"}):
            pass
    found: list[Finding] = []
    async with asyncio.timeout(PATIENCE):
        while not found:  # the note is written beside the answer
            found = [finding for finding in await examine(configured()) if finding.check == "proxies"]
    named = await examine(configured(TRUSTED_PROXIES="127.0.0.0/8,::1"))

    assert [finding for finding in before if finding.check == "proxies"] == []
    assert found[0].status is Status.WARNING
    assert "127.0.0.1" in found[0].detail or "::1" in found[0].detail
    assert the(named, "proxies").status is Status.OK
