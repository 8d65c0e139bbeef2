"""Waiting for the end of a session whose person asks nothing meanwhile: an open stream ends with it.

Owns the look at a session that the wheel asks for. A step-up changes nothing, as it changes only what a session is
called; a Redis that does not answer changes nothing either, and is asked again.
Never prolongs a session.
"""

import asyncio
from collections.abc import Callable

from gateway.session.end_watch import SessionEndWatch
from gateway.session.sessions import LiveSession
from gateway.session.stream_wheel import Seat, StreamWheel
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Vault


class SessionEnds:
    """Of one process; `now` is Redis' clock in seconds, `idle` the idle limit.

    `redis_seconds` is what one look may wait for Redis. `wheel` says when a session is to be looked at.
    """

    def __init__(
        self, vault: Vault, wheel: StreamWheel, *, now: Callable[[], float], idle: float, redis_seconds: float
    ) -> None:
        self._vault = vault
        self._wheel = wheel
        self._now = now
        self._idle = idle
        self._redis_seconds = redis_seconds

    async def end_of(self, session: LiveSession) -> str:
        """Return why a session has ended, once it has; a store that is away is asked again."""
        watch = SessionEndWatch(self._vault, session, now=self._now, idle=self._idle)
        seat = _Waiting(watch, redis_seconds=self._redis_seconds)
        self._wheel.join(seat)
        try:
            return await seat.reason
        finally:
            self._wheel.leave(seat)


class _Waiting(Seat):
    """Whoever waits for the end of a session."""

    __slots__ = ("_redis_seconds", "_watch", "reason")

    def __init__(self, watch: SessionEndWatch, *, redis_seconds: float) -> None:
        super().__init__(watch.ref)
        self._watch = watch
        self._redis_seconds = redis_seconds
        self.changes_at = watch.changes_at
        self.reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def look(self) -> None:
        """Look whether the session is still there, under whatever id."""
        # The request's own budget was for its beginning.
        with redis_budget(self._redis_seconds):
            reason = await self._watch.look()
        self.ref, self.mark, self.changes_at = self._watch.ref, self._watch.mark, self._watch.changes_at
        if reason and not self.reason.done():
            self.reason.set_result(reason)

    def fail(self, fault: Exception) -> None:
        """Let whoever waits hear of it."""
        if not self.reason.done():
            self.reason.set_exception(fault)
