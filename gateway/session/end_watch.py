"""Whether a session that somebody uses without asking anything is still there, under whatever id.

Owns following a session from one id to the next, which step-up gives it, and the moment at which time alone ends it.
Needs no secret of the session: when it was used and whether it is there lie open in Redis, and what took an id's place
is known of the id. So it goes on where the cookie that it began with is no use any more.
Never prolongs a session, and never takes a store that does not answer for a session that ended.
"""

import math
from collections.abc import Callable
from typing import Final

from gateway.session.sessions import LiveSession
from gateway.store.fields import number_of
from gateway.store.marks import Mark, read_marks
from gateway.store.successors import successor_of
from gateway.store.vault import Vault

EXPIRED: Final = "expired"


class SessionEndWatch:
    """Looks at one session; `now` is Redis' clock in seconds, and `idle` the idle limit."""

    def __init__(self, vault: Vault, session: LiveSession, *, now: Callable[[], float], idle: float) -> None:
        self._vault = vault
        self._now = now
        self._idle = idle
        self._idle_at = session.idle_at
        self._absolute_at = session.absolute_at
        self.ref = session.ref
        """The session's name of now."""
        self.mark: Mark = (None, None)
        """Its mark at the last look."""

    @property
    def changes_at(self) -> float:
        """When time alone ends it unless it is used, in seconds since 1970."""
        return min(self._idle_at, self._absolute_at)

    async def look(self) -> str | None:
        """Return why the session ended; None while it lives.

        Raises SessionStoreUnavailable, but not where time alone says it.
        """
        if self._now() >= self._absolute_at:
            return EXPIRED
        while True:
            (self.mark,) = await read_marks(self._vault, [self.ref])
            if any(part is not None for part in self.mark):
                return self._by_time(number_of(self.mark[0]) / 1000)
            successor = await successor_of(self._vault, self.ref)
            if successor is None:
                return await self._vault.ends.reason(self.ref) or EXPIRED
            # A new id may last longer than the tokens of the old one did; its key in Redis ends in time.
            self.ref, self._absolute_at = successor, math.inf

    def _by_time(self, seen: float) -> str | None:
        self._idle_at = seen + self._idle
        # Who was never told the time ends nobody by it: Redis drops the session by its own clock.
        return EXPIRED if self._vault.known_time() and self._now() >= self._idle_at else None
