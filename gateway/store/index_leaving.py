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

Owners = Sequence[tuple[str, str]]
"""Indexes, by kind and owner."""


async def run_then_leave(
    redis: Any,
    before: Sequence[ScriptCall],
    main: ScriptCall,
    ref: SessionRef | None,
    owners: Owners,
    *,
    replicas: int | None,
) -> tuple[Any, bool, list[Any]]:
    """Run scripts, then let the indexes of `owners` forget `ref` if it is gone by then: in one round trip.

    In a cluster, where an index and a session have different slots, it is asked first whether it is gone. Returns what
    `main` returns, whether `replicas` have it, and what the scripts before it return.
    """
    leaving = _leaving(ref, owners) if ref else []
    async with redis_faults():
        if not redis.has_slots:
            result, reached, said = await redis.run_together(before, main, leaving, replicas=replicas)
            return result, reached, said
        result, reached, said = await redis.run_together(before, main, replicas=replicas)
        if ref and owners and not await redis.execute_command("EXISTS", ref.key):
            await asyncio.gather(*(redis.zrem(index_key(*owner), ref.packed) for owner in owners))
    return result, reached, said


async def end_many_then_leave(redis: Any, ends: Sequence[tuple[ScriptCall, SessionRef, Owners]]) -> list[Any]:
    """Run each script, and let the indexes forget its session if it is gone then, all in one round trip.

    Returns what the scripts return; for one server, not for a cluster.
    """
    calls: list[ScriptCall] = []
    results: list[int] = []
    for call, ref, owners in ends:
        results.append(len(calls))
        calls += [call, *_leaving(ref, owners)]
    async with redis_faults():
        answers = await redis.run_all(calls)
    return [answers[at] for at in results]


def _leaving(ref: SessionRef, owners: Owners) -> list[ScriptCall]:
    return [ScriptCall(LEAVE, [index_key(*owner), ref.key], [ref.packed]) for owner in owners]
