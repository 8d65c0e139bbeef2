"""The session that follows from a redeemed flow.

Owns writing it with its tokens in one step, however Redis stumbles, and ending the one that it follows: the code is
spent by now, and nothing else brings the tokens again.
Never judges who came back, and never gives a browser its cookie.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from gateway import errors
from gateway.flows.step_up import unmet
from gateway.session.cookie import SessionCookie
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.store.fields import Field
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Overtaken, Successor
from gateway.tokens.broker import Redeemed
from gateway.tokens.resources import GRAPH, Resource
from gateway.tokens.token_records import (
    CACHE,
    GRANTED,
    ID_TOKEN,
    TOKEN,
    cache_entry,
    holds_refresh_token,
    token_entry,
)
from servicekit.logs import log_event

_LONGEST_SESSION: Final = 604_800
_STARTING_SECONDS: Final = 3.0
# The first without a pause: since the old session was read, its code was redeemed, and much may have been written.
PAUSES: Final = (0, 0.05, 0.2, 0.8)

_log = logging.getLogger(__name__)


class SessionStarts:
    """Starts sessions with what a flow brought.

    `kinds` are all kinds of records that a session may hold, `now` is Redis' clock. `new_cookie` makes
    the cookie of a session, of a family where that goes on.
    """

    def __init__(
        self,
        sessions: SessionStore,
        kinds: Sequence[RecordKind[Any]],
        *,
        now: Callable[[], float],
        new_cookie: Callable[[str | None], SessionCookie] = SessionCookie.new,
    ) -> None:
        self._sessions = sessions
        self._kinds = kinds
        self._now = now
        self._new_cookie = new_cookie

    async def after_sign_in(
        self, user: UserSession, redeemed: Redeemed, resource: Resource, before: LiveSession | None
    ) -> LiveSession | None:
        """Start a session that shares nothing with `before`, which the browser had and which ends then.

        Returns None when somebody ended the new session while it began; raises SessionStoreUnavailable.
        """
        if not holds_refresh_token(redeemed.cache):
            # With its first token it ends: nothing brings another one.
            user = user.model_copy(update={"ends_at": int(redeemed.token.expires_at)})
        with redis_budget(_STARTING_SECONDS):
            brought = self._brought(redeemed, resource)
            session = await self._start(user, brought, self._new_cookie(None), None, self._kinds)
        if session and before:
            await self._end(before)
        return session

    async def after_step_up(
        self,
        user: UserSession,
        redeemed: Redeemed,
        resource: Resource,
        before: LiveSession,
        *,
        is_too_wide: bool = False,
    ) -> LiveSession | None:
        """Start the session that takes the place of `before`: a new id, and the old one is dead in the same step.

        Records that say so go along, and the grant of before where this flow brought no refresh token: some authorities
        give one at the first consent only. A token that `is_too_wide` for its resource to see is kept only where no
        refresh token could bring a narrower one. Returns None when `before` had ended already, or somebody ended the
        new session while it began; raises SessionStoreUnavailable, and then `before` lives on.
        """
        cookie = self._new_cookie(before.cookie.family)
        brought, kinds = self._brought(redeemed, resource), self._kinds
        if not holds_refresh_token(redeemed.cache):
            ends_at = before.user.ends_at
            if ends_at is not None and resource.name == GRAPH:
                ends_at = int(redeemed.token.expires_at)
            user = user.model_copy(update={"ends_at": ends_at})
            brought = token_entry(resource, redeemed.token)
            kinds = (*kinds, *(replace(kind, survives_step_up=True) for kind in (CACHE, GRANTED)))
        elif is_too_wide:
            del brought[TOKEN.field(resource.key)]
        with redis_budget(_STARTING_SECONDS):
            return await self._start(user, brought, cookie, before, kinds, confirmed=resource)

    def _brought(self, redeemed: Redeemed, resource: Resource) -> dict[str, Field]:
        # The vault drops the cache with its session; any later limit would do.
        until = self._now() + _LONGEST_SESSION
        granted = {} if redeemed.granted is None else GRANTED.entry(redeemed.granted, until)
        shown = ID_TOKEN.entry(redeemed.id_token.encode(), until) if redeemed.id_token else {}
        return {
            **token_entry(resource, redeemed.token),
            **cache_entry(redeemed.cache, until),
            **granted,
            **shown,
        }

    async def _start(
        self,
        user: UserSession,
        brought: dict[str, Field],
        cookie: SessionCookie,
        before: LiveSession | None,
        kinds: Sequence[RecordKind[Any]],
        *,
        confirmed: Resource | None = None,
    ) -> LiveSession | None:
        """Write the session; again when Redis stumbles, and when another tab has parked an edit meanwhile."""
        overtaken = False
        for pause in (*PAUSES, None):
            try:
                if before and overtaken:
                    await before.records.refresh_all()
                lasting, successor = await _lasting(before, kinds)
                if confirmed:
                    lasting = unmet(lasting, confirmed)
                return await self._sessions.start(
                    user, {**lasting, **brought}, cookie=cookie, successor=successor
                )
            except (errors.SessionStoreUnavailable, Overtaken) as error:
                if pause is None:
                    raise errors.SessionStoreUnavailable(type(error).__name__) from error
                overtaken = overtaken or isinstance(error, Overtaken)
                await asyncio.sleep(pause)
        raise AssertionError  # the last pause is None

    async def _end(self, before: LiveSession) -> None:
        """End what the browser is about to forget; the new session is there, so failing now would lose it."""
        try:
            await self._sessions.end(before, "replaced")
        except errors.SessionStoreUnavailable:
            log_event(_log, logging.WARNING, "session-before-not-ended", session=before.ref.short)


async def _lasting(
    before: LiveSession | None, kinds: Sequence[RecordKind[Any]]
) -> tuple[dict[str, Field], Successor | None]:
    if before is None:
        return {}, None
    fields, mark = await before.records.survivors(kinds)
    return fields, Successor(before.ref, mark)
