"""What ends an id of a session, and the indexes that forget it with that.

Owns the order: first the scripts, then the indexes, and only where the session is gone by then.
Never decides that something ends.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from gateway.store.names import SessionRef, index_key
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.scripts import LEAVE


async def run_then_leave(
    redis: Any,
    before: Sequence[ScriptCall],
    main: ScriptCall,
    ref: SessionRef | None,
    owners: Sequence[tuple[str, str]],
    *,
    replicas: int | None,
) -> tuple[Any, bool]:
    """Run scripts, then let the indexes of `owners` forget `ref` if it is gone by then: in one round trip.

    In a cluster, where an index and a session have different slots, it is asked first whether it is gone.
    """
    keys = [index_key(*owner) for owner in owners] if ref else []
    if ref and not redis.has_slots:
        leaving = [ScriptCall(LEAVE, [key, ref.key], [ref.packed]) for key in keys]
        async with redis_faults():
            result, reached = await redis.run_together(before, main, leaving, replicas=replicas)
        return result, reached
    async with redis_faults():
        result, reached = await redis.run_together(before, main, replicas=replicas)
        if ref and keys and not await redis.execute_command("EXISTS", ref.key):
            await asyncio.gather(*(redis.zrem(key, ref.packed) for key in keys))
    return result, reached
