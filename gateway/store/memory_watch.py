"""How much memory Redis has left, looked at now and then: the last of it is for who is signed in already.

A Redis without memory refuses everything that is written: tokens are not renewed, edits not confirmed, and nobody
comes in. So strangers, who can begin as many sign-ins as their addresses allow, get none of the last part.
Owns that part, and when it is looked. Never holds a request up, and never knows better than the last look: a server
that may not be asked, or has no limit, has memory enough.
"""

import asyncio
import logging
from typing import Any, Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.server_facts import memory
from servicekit.logs import log_event

RESERVE_SHARE: Final = 0.1
MOST_RESERVE_BYTES: Final = 4_194_304
_PAUSE_SECONDS: Final = 2.0
_UNLIMITED_PAUSE_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


class MemoryWatch:
    """Looks at the memory of a server, or of each master of a cluster; the fullest one counts."""

    def __init__(self, redis: Any, *, pause: float = _PAUSE_SECONDS) -> None:
        self._redis = redis
        self._pause = pause
        self._is_short = False

    def check(self) -> None:
        """Raise SessionStoreUnavailable where only the part is left that strangers get none of."""
        if self._is_short:
            raise SessionStoreUnavailable("its memory is nearly full: the rest is for who is signed in")

    async def run(self) -> None:
        """Look again and again, until the server says that we may not."""
        while True:
            await asyncio.sleep(self._pause)
            try:
                is_limited = await self.look()
            except SessionStoreUnavailable:
                continue
            if is_limited is None:
                return  # the log said so at start (eviction.py)
            if not is_limited:
                await asyncio.sleep(_UNLIMITED_PAUSE_SECONDS)

    async def look(self) -> bool | None:
        """Look once; return whether any server has a limit, None where we may not ask.

        Raises SessionStoreUnavailable.
        """
        async with redis_faults():
            servers = await memory(self._redis)
        if servers is None:
            return None
        limited = [(used, most) for used, most in servers if most]
        is_short = any(most - used < _reserve(most) for used, most in limited)
        if is_short != self._is_short:
            self._is_short = is_short
            self._tell()
        return bool(limited)

    def _tell(self) -> None:
        if self._is_short:
            log_event(
                _log,
                logging.ERROR,
                "redis-nearly-full",
                meaning="nobody new may sign in, and who is signed in goes on with what is left",
                remedy="give Redis more memory, or find out what fills it (docs/reference/redis.md, Memory)",
            )
        else:
            log_event(_log, logging.INFO, "redis-has-memory-again")


def _reserve(most: int) -> float:
    return min(most * RESERVE_SHARE, MOST_RESERVE_BYTES)
