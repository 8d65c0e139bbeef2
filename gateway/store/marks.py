"""Marks: whether a session is as it was, for less than reading it.

Owns what a mark is of, and reading many in one round trip.
Never says what changed, and never opens a record.
"""

import asyncio
from collections.abc import Sequence

from gateway.store.names import SessionRef
from gateway.store.redis.faults import redis_faults
from gateway.store.vault import SEEN, WRITES, Vault

MARK_FIELDS = (SEEN, WRITES)

Mark = tuple[bytes | None, ...]
"""When a session was used last, and how often it was written, as Redis holds them; both None where it is gone."""


async def read_marks(vault: Vault, refs: Sequence[SessionRef]) -> list[Mark]:
    """Return the mark of each session: in one round trip, in a cluster side by side.

    Raises SessionStoreUnavailable.
    """
    async with redis_faults():
        if vault.redis.has_slots:
            return [
                tuple(mark)
                for mark in await asyncio.gather(*(vault.redis.hmget(ref.key, MARK_FIELDS) for ref in refs))
            ]
        async with vault.redis.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hmget(ref.key, MARK_FIELDS)
            return [tuple(mark) for mark in await pipe.execute()]
