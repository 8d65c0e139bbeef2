"""Whether Redis throws records away when its memory is full, said at start to whoever reads the log.

Any policy but `noeviction` signs people out, and nobody would look for that in the gateway.
Owns the two lines. Never holds anything up, and stops nothing: it is a warning.
"""

import asyncio
import logging
from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.server_facts import eviction_policies
from servicekit.logs import log_event

_AGAIN_SECONDS: Final = 5

_log = logging.getLogger(__name__)


async def warn_of_eviction(redis: GuardedRedis | GuardedCluster, *, again: float = _AGAIN_SECONDS) -> None:
    """Log a warning where a server evicts, or does not say; ask every `again` seconds until one answers."""
    while True:
        try:
            async with redis_faults():
                policies = await eviction_policies(redis)
        except SessionStoreUnavailable:
            await asyncio.sleep(again)
            continue
        if not policies:
            log_event(
                _log,
                logging.WARNING,
                "redis-eviction-unknown",
                reason="the user may ask neither INFO nor CONFIG GET",
                remedy="see that maxmemory-policy is noeviction, or let the user ask INFO",
            )
        elif policies != {"noeviction"}:
            log_event(
                _log,
                logging.WARNING,
                "redis-evicts",
                policy=", ".join(sorted(policies - {"noeviction"})),
                reason="a full memory signs people out",
                remedy="set maxmemory-policy noeviction in the server's configuration",
            )
        return
