"""A flood by one account and one address on a small Redis (A2): it stays small, and nobody else notices."""

import asyncio
from pathlib import Path

from gateway.app_keys import VAULT
from gateway.store.memory_watch import RESERVE_SHARE
from tests.real.redis.conftest import (
    MakeWorld,
)
from tests.real.redis.servers import RedisServer
from tests.stage.flood import Flood
from tests.stage.notes_upstream import Notes, rows_file
from tests.stage.ports import free_port

MOST_SESSIONS = 2
STORIES = 5
"""Of the person from elsewhere, who confirms no more often than people do."""
ROOM = 640_000
"""In bytes: two full sessions, what their person parks, sixty flows, and room for others."""


async def test_A2_S51_one_account_and_one_address_keep_nobody_out_of_a_small_redis(
    make_world: MakeWorld, one: RedisServer, tmp_path: Path
) -> None:
    world = await make_world(
        REDIS_URL=one.url,
        MAX_SESSIONS_PER_PERSON=str(MOST_SESSIONS),
        TRUSTED_PROXIES="127.0.0.1,::1",
        JOURNEYS_PER_MINUTE="600",
        UPSTREAMS=rows_file(tmp_path, Notes(f"http://127.0.0.1:{free_port()}")),
    )
    flood = Flood(world.gateway_url, world.tenant_url)
    await flood.somebody_else()  # what only the first request does takes memory, too
    room = (int(one.info("memory")["used_memory"]) + ROOM) / (1 - RESERVE_SHARE)
    one.ask("CONFIG", "SET", "maxmemory", round(room))

    async def others() -> None:
        for _ in range(STORIES):
            await flood.somebody_else()

    await asyncio.gather(flood.account(12), flood.address(60), others())
    await flood.somebody_else()

    assert flood.seen["somebody else: whole stories"] == STORIES + 2
    assert flood.seen["account: signed in"] > MOST_SESSIONS
    assert flood.seen["account: large request waits"] > 0
    assert flood.seen["account: large request does not wait"] > 0
    assert await world.app[VAULT].memory_watch.look()
    world.app[VAULT].memory_watch.check()
    assert "errorstat_OOM" not in one.info("errorstats"), "Redis was never full"
