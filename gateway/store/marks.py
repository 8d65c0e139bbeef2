"""Marks: whether a session is as it was, for less than reading it.

Owns what a mark is of, and reading many in one round trip.
Never says what changed, and never opens a record.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from gateway.store.names import SessionRef
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.reads import Reads
from gateway.store.vault import SEEN, WRITES, Vault

MARK_FIELDS = (SEEN, WRITES)
# Between them come the reads of requests that wait.
_AT_ONCE: Final = 500

Mark = tuple[bytes | None, ...]
"""When a session was used last, and how often it was written, as Redis holds them; both None where it is gone."""


async def read_marks(vault: Vault, refs: Sequence[SessionRef]) -> list[Mark]:
    """Return the mark of each session: some hundreds at a time in one write, in a cluster side by side.

    Raises SessionStoreUnavailable.
    """
    marks: list[Mark] = []
    async with redis_faults():
        for start in range(0, len(refs), _AT_ONCE):
            some = refs[start : start + _AT_ONCE]
            commands = [vault.mark_command(ref) for ref in some]
            if isinstance(vault.reads, Reads):
                answers = await vault.reads.ask_all(commands)
            else:
                answers = await asyncio.gather(*map(vault.read_mark, commands, some))
            marks += map(tuple, answers)
    return marks
