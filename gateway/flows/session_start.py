"""The session that follows from a redeemed journey.

Owns writing it with its tokens in one step, however Redis stumbles, and ending the one that it follows: the code is
spent by now, and nothing else brings the tokens again.
Never judges who came back, and never gives a browser its cookie.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from gateway import errors
from gateway.failpoints import Failpoints
from gateway.profile.edits import ProfileEdits
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.store.fields import Field
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Overtaken
from gateway.tokens.broker import Redeemed
from gateway.tokens.token_records import CACHE, Resource, TokenRecords
from servicekit.logs import log_event

_LONGEST_SESSION: Final = 604_800
_STARTING_SECONDS: Final = 3.0
_PAUSES: Final = (0.05, 0.2, 0.8, None)

_log = logging.getLogger(__name__)


class SessionStarts:
    """Starts sessions with what a journey brought; `now` is the wall clock in seconds."""

    def __init__(
        self,
        sessions: SessionStore,
        edits: ProfileEdits,
        *,
        now: Callable[[], float],
        failpoints: Failpoints,
    ) -> None:
        self._sessions = sessions
        self._edits = edits
        self._now = now
        self._failpoints = failpoints

    async def after_sign_in(
        self, user: UserSession, redeemed: Redeemed, resource: Resource, before: LiveSession | None
    ) -> LiveSession | None:
        """Start a session that shares nothing with `before`, which the browser had and which ends then.

        Returns None when somebody ended the new session while it began; raises SessionStoreUnavailable.
        """
        with redis_budget(_STARTING_SECONDS):
            session = await self._start(user, self._records(redeemed, resource), SessionCookie.new(), None)
        if session is None:
            return None
        await self._failpoints.reach("session-started")
        if before:
            await self._end(before, "replaced")
        return session

    async def after_step_up(
        self, user: UserSession, redeemed: Redeemed, resource: Resource, before: LiveSession
    ) -> LiveSession | None:
        """Start the session that takes the place of `before`: a new id, and the old one is dead in the same step.

        Parked edits go along, the weaker tokens do not. Returns None when `before` had ended already, or somebody
        ended the new session while it began; raises SessionStoreUnavailable, and then `before` lives on.
        """
        cookie = SessionCookie.new(before.cookie.family)
        with redis_budget(_STARTING_SECONDS):
            session = await self._start(user, self._records(redeemed, resource), cookie, before)
            if session is None:
                return None
            await self._failpoints.reach("session-started")
            await self._end(before, "rotated")  # it has ended already: this is for the indexes
        return session

    def _records(self, redeemed: Redeemed, resource: Resource) -> dict[str, Field]:
        name, token = TokenRecords.token_field(resource, redeemed.token)
        # The vault drops the cache with its session; any later limit would do.
        return {name: token, CACHE: TokenRecords.cache_field(redeemed.cache, self._now() + _LONGEST_SESSION)}

    async def _start(
        self, user: UserSession, own: dict[str, Field], cookie: SessionCookie, replaced: LiveSession | None
    ) -> LiveSession | None:
        """Write the session; again when Redis stumbles, and when another tab has parked an edit meanwhile."""
        for pause in _PAUSES:
            try:
                carried, mark = await self._edits.carried_over(replaced) if replaced else ({}, b"")
                return await self._sessions.start(
                    user,
                    {**carried, **own},
                    cookie=cookie,
                    replaces=replaced.ref if replaced else None,
                    mark=mark,
                )
            except (errors.SessionStoreUnavailable, Overtaken) as error:
                if pause is None:
                    raise errors.SessionStoreUnavailable(type(error).__name__) from error
                await asyncio.sleep(pause)
        raise AssertionError  # the last pause is None

    async def _end(self, before: LiveSession, reason: str) -> None:
        """End what the browser is about to forget; the new session is there, so failing now would lose it."""
        try:
            await self._sessions.end(before, reason)
        except errors.SessionStoreUnavailable:
            log_event(_log, logging.WARNING, "session-before-not-ended", session=before.ref.short)
