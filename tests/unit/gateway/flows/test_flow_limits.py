"""A flow that begins is counted in the step that writes it (A5): one too many is taken back, whoever let it in."""

from dataclasses import replace

import pytest
from aiohttp import web
from redis.asyncio import Redis

from gateway.counts import Counts
from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import Caller, Limit, rules_of
from gateway.edge.limits import CLAIM, RateLimits
from gateway.errors import SessionStoreUnavailable
from gateway.flows.flow_record import FlowStore
from gateway.store.rate_counts import RateCounts
from gateway.store.vault import Vault
from servicekit.callers import KNOWN
from servicekit.errors import TooManyRequests
from tests.stage.redis_wire import Command
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.test_flow_record import FLOW, STATE, TEN_MINUTES, given, request
from tests.unit.gateway.store_of_tests import NOW

HERE = Caller("198.51.100.0/24", "198.51.0.0/16")


@pytest.fixture
def flows(vault: Vault) -> FlowStore:
    return FlowStore(vault)


def process(vault: Vault, clock: MovableClock) -> RateLimits:
    """One process of those that share the counts; a network may begin two sign-ins."""
    counts = RateCounts(vault.redis, b"k" * 32)
    return RateLimits(rules_of(sign_ins=2), counts, reports=LimitReports(Counts(), now=clock), now=clock)


async def begin(flows: FlowStore, limits: RateLimits) -> tuple[str, str]:
    """Begin a flow that is counted; return the browser's cookie."""
    asked, response = request(), web.Response()
    asked[CLAIM] = limits.claim(Limit.SIGN_INS, HERE)
    await flows.put(asked, response, FLOW, now=NOW)
    (cookie,) = given(response)
    return cookie.key, cookie.value


async def written(vault: Vault) -> list[str]:
    """Return the keys of the flows that there are."""
    return [key.decode() async for key in vault.redis.scan_iter(match="stepup:flow:*")]


async def test_A5_a_flow_that_is_counted_is_kept_like_any_other(
    vault: Vault, flows: FlowStore, clock: MovableClock
) -> None:
    cookie = await begin(flows, process(vault, clock))

    (key,) = await written(vault)
    assert 0 < await vault.redis.pttl(key) <= TEN_MINUTES * 1000
    back = request(cookie)
    assert await flows.take(back, STATE) == FLOW
    assert back[KNOWN] is True, "whoever comes back is no stranger to the log"


async def test_A5_what_all_together_let_in_too_much_is_taken_back(
    vault: Vault, flows: FlowStore, clock: MovableClock
) -> None:
    one, other = process(vault, clock), process(vault, clock)
    await begin(flows, one)
    await begin(flows, one)
    before = await written(vault)

    with pytest.raises(TooManyRequests):
        await begin(flows, other)

    assert sorted(await written(vault)) == sorted(before)


async def test_A5_R2_while_redis_is_away_each_process_counts_by_itself(
    vault: Vault, flows: FlowStore, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    limits = process(vault, clock)
    way_to_redis.cut(lambda _: True, times=None)
    for _ in range(2):
        with pytest.raises(SessionStoreUnavailable):
            await begin(flows, limits)

    with pytest.raises(TooManyRequests):
        await begin(flows, limits)


@pytest.mark.parametrize("session", ["", "a.session.cookie"], ids=["a-stranger", "who-is-signed-in"])
async def test_A2_the_last_memory_of_redis_is_for_who_is_signed_in(
    vault: Vault, flows: FlowStore, valkey: str, session: str
) -> None:
    flow = replace(FLOW, session=session)
    async with Redis.from_url(valkey) as plain:
        before = (await plain.config_get("maxmemory"))["maxmemory"]
        used = (await plain.info("memory"))["used_memory"]
        await plain.config_set("maxmemory", round(used / 0.95))  # a tenth is kept back
        try:
            assert await vault.memory_watch.look()
            if session:
                await flows.put(request(), web.Response(), flow, now=NOW)
            else:
                with pytest.raises(SessionStoreUnavailable):
                    await flows.put(request(), web.Response(), flow, now=NOW)
        finally:
            await plain.config_set("maxmemory", before or "0")
    assert len(await written(vault)) == (1 if session else 0)
