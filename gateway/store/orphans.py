"""References to sessions that are gone: an index forgets them, some at a time, whoever signs in.

A session that ends by its time leaves its references behind, as Redis drops it without a word. Lists and ends forget
what they meet; nobody lists the sessions of a subject, though, and whoever signs in all day and never looks would have
an index that grows until its members are older than any session may be.
Owns which indexes are looked at, and how much of one at a time. Never forgets a session that lives, or one that is only
about to begin: that is noted in its indexes a moment before it is there.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.names import SessionRef, index_key
from gateway.store.redis.faults import redis_faults

EVERY_SECONDS: Final = 30
_INDEXES_AT_ONCE: Final = 50
_MOST_WAITING: Final = 1000
_OLDEST: Final = 8
_ANYWHERE: Final = 24
AT_ONCE: Final = _OLDEST + _ANYWHERE
"""How many references of an index are looked at in one go."""
_SETTLED_SECONDS: Final = 60


class Orphans:
    """Looks at the indexes of who signed in; `now` is Redis' clock in seconds."""

    def __init__(self, redis: Any, now: Callable[[], float]) -> None:
        self._redis = redis
        self._now = now
        self._waiting: dict[tuple[str, str], None] = {}

    def note(self, owners: Sequence[tuple[str, str]]) -> None:
        """Have the indexes of `owners`, by kind and owner, looked at soon; a crowd is passed over."""
        for owner in owners:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting[owner] = None

    async def run(self) -> None:
        """Look at what waits, again and again."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.round()
            except SessionStoreUnavailable:
                continue

    async def round(self) -> None:
        """Look at some indexes, and again later at those that had orphans; raises SessionStoreUnavailable."""
        for owner in list(self._waiting)[:_INDEXES_AT_ONCE]:
            del self._waiting[owner]
            if await self.forget(*owner):
                self.note([owner])

    async def forget(self, kind: str, owner: str) -> int:
        """Look at some references, and forget those to nothing; return how many. Raises SessionStoreUnavailable.

        The oldest ones, and those from a moment by chance on: old ones that live must not hide the others for good.
        """
        key, settled = index_key(kind, owner), self._now() - _SETTLED_SECONDS
        async with redis_faults():
            oldest = await self._redis.zrangebyscore(key, "-inf", settled, 0, _OLDEST, withscores=True)
            if not oldest:
                return 0
            moment = random.uniform(oldest[0][1], settled)  # noqa: S311 - nothing is secret about it
            others = await self._redis.zrangebyscore(key, moment, settled, 0, _ANYWHERE)
            if not others:  # the moment lies behind the youngest one
                others = await self._redis.zrangebyscore(key, oldest[-1][1], settled, 0, _ANYWHERE)
            members = dict.fromkeys([*(member for member, _ in oldest), *others])
            # One after another: nobody waits for it, and it takes one connection.
            gone = [member for member in members if not await self._lives(member)]
            if gone:
                await self._redis.zrem(key, *gone)
        return len(gone)

    async def _lives(self, member: bytes) -> bool:
        return bool(await self._redis.execute_command("EXISTS", SessionRef.unpack(member).key))
