"""Waiting for the end of a session whose person asks nothing meanwhile: an open stream ends with it.

Owns the look at a session that the wheel wakes. A step-up changes nothing, as it changes only what a session is called;
a Redis that does not answer changes nothing either, and is asked again.
Never prolongs a session.
"""

from collections.abc import Callable

from aiohttp import web

from gateway.errors import SessionStoreUnavailable
from gateway.session.end_watch import SessionEndWatch
from gateway.session.sessions import LiveSession
from gateway.session.stream_wheel import Seat, StreamWheel
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Vault


class SessionEnds:
    """Of one process; `now` is Redis' clock in seconds, `idle` the idle limit.

    `redis_seconds` is what one look may wait for Redis. `wheel` wakes whose session changed.
    """

    def __init__(
        self, vault: Vault, wheel: StreamWheel, *, now: Callable[[], float], idle: float, redis_seconds: float
    ) -> None:
        self._vault = vault
        self._wheel = wheel
        self._now = now
        self._idle = idle
        self._redis_seconds = redis_seconds

    async def end_of(self, request: web.Request, session: LiveSession) -> str:
        """Return why a session has ended, once it has; `request` is the one that stays open by it."""
        watch = SessionEndWatch(self._vault, session, now=self._now, idle=self._idle)
        seat = Seat(session.ref, request)
        self._wheel.join(seat)
        try:
            self._wheel.looked(seat, None, watch.changes_at)
            while True:
                await seat.awake.wait()
                seat.awake.clear()
                if seat.must_look and (reason := await self._look(seat, watch)):
                    return reason
        finally:
            self._wheel.leave(seat)

    async def _look(self, seat: Seat, watch: SessionEndWatch) -> str | None:
        seat.must_look = False
        try:
            # The request's own budget was for its beginning.
            with redis_budget(self._redis_seconds):
                reason = await watch.look()
        except SessionStoreUnavailable:
            self._wheel.looked(seat, None, watch.changes_at)
            return None
        seat.ref = watch.ref
        self._wheel.looked(seat, watch.mark, watch.changes_at)
        return reason
