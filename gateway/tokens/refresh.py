"""Silent refreshes: how an access token is replaced, once for everyone who waits, or beside the use of one that lives.

Owns that there is one token request at a time, what is kept of its answer, and that a refusal is remembered.
Never decides whether a refresh is due (the broker does), never speaks to MSAL (`refresh_request.py`), and never says
what a refusal means (`refresh_meaning.py`).
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from gateway import errors
from gateway.counts import Counts
from gateway.session.records import Entries
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.leases import WAIT_SECONDS, Lease, LeaseTaken
from gateway.store.redis.budget import redis_budget
from gateway.tokens.access_token import AccessToken
from gateway.tokens.id_token import IdTokenJudge
from gateway.tokens.refresh_meaning import LONGEST_PAUSE, NOT_RENEWABLE, meaning_of
from gateway.tokens.refresh_request import RefreshRefused, RefreshRequest
from gateway.tokens.refresh_turns import RefreshTurns
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import (
    CACHE,
    GRANTED,
    REFUSAL,
    TOKEN,
    RememberedRefusal,
    cache_entry,
    fields_to_renew,
    holds_refresh_token,
    token_entry,
)
from servicekit.entra import EntraClient, new_token_cache
from servicekit.errors import AuthorityNotAsked, AuthorityUnavailable, Overloaded
from servicekit.logs import log_event
from servicekit.refusals import Refusal, RefusalKind
from servicekit.token_threads import REFRESH, RENEWAL, Purpose

BESIDE_SECONDS: Final = 30
"""How long a renewal beside use is left alone after one that failed, by all processes (s)."""
# For keeping what was redeemed, whatever the request has used up before.
_KEEPING_SECONDS: Final = 2.0
_KEEPING_PAUSES: Final = (0.05, 0.2, 0.8)

_log = logging.getLogger(__name__)


class SilentRefresh:
    """Replaces access tokens from the session's refresh token.

    `now` is the wall clock in seconds, `jitter` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        entra: EntraClient,
        id_tokens: IdTokenJudge,
        sessions: SessionStore,
        *,
        now: Callable[[], float],
        counts: Counts | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._counts = counts or Counts()
        self._request = RefreshRequest(entra, id_tokens, now=now, jitter=jitter)
        self._sessions = sessions
        self._now = now
        self._turns = {purpose: RefreshTurns(purpose) for purpose in (REFRESH, RENEWAL)}

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Refresh while holding the session's lease, or return what its last holder brought.

        One lease for all resources: they share MSAL's cache, and a refresh token that rotates.
        Raises as `TokenBroker.access_token` does.
        """
        try:
            async with self._lease(session, resource, REFRESH, wait=WAIT_SECONDS) as lease:
                token = await session.records.get(TOKEN, resource.key)
                if token and token.is_alive(self._now()):
                    return token
                try:
                    await self._check_memory(session, resource)
                    return await self._refresh(session, resource, lease, REFRESH)
                except RefreshRefused as refused:
                    if token and self._now() < token.expires_at and refused.leaves_token:
                        return token
                    raise await meaning_of(refused, session, resource, self._sessions) from refused
                except (Overloaded, AuthorityNotAsked):
                    if token and self._now() < token.expires_at:
                        return token
                    raise
        except LeaseTaken:
            raise AuthorityUnavailable(
                "the token request of another process does not end", retry_after=2
            ) from None

    async def renew_beside(self, session: LiveSession, resource: Resource) -> AccessToken | None:
        """Renew a token that lives, unless somebody does or has just failed to; return the new one, if there is one.

        Whatever is refused is nothing to anybody while the token lives: it ends no session, and is not asked again for
        a while. Raises nothing of that.
        """
        try:
            async with self._lease(session, resource, RENEWAL, wait=0) as lease:
                token = await session.records.get(TOKEN, resource.key)
                if token is None:  # it has ended or was refused: whoever needs one asks
                    return None
                if token.is_fresh(self._now()):
                    return token
                if await self._remembered(session, resource):
                    return None
                return await self._refresh(session, resource, lease, RENEWAL)
        except RefreshRefused as refused:
            if refused.seconds:  # else nobody was asked
                told, ref = str(refused.refusal), session.ref.short
                log_event(_log, logging.INFO, "renewal-put-off", refusal=told, session=ref)
        except (LeaseTaken, errors.SessionStoreUnavailable, Overloaded, AuthorityNotAsked):
            pass
        return None

    @asynccontextmanager
    async def _lease(
        self, session: LiveSession, resource: Resource, purpose: Purpose, *, wait: float
    ) -> AsyncIterator[Lease]:
        """Hold the session's lease while the block runs, and one of the places of `purpose`; raises Overloaded too."""
        turns, fields = self._turns[purpose], fields_to_renew(resource)
        async with (
            turns.place(),
            session.records.lease("refresh", fields=fields, wait=wait, turn=turns.turn) as lease,
        ):
            yield lease

    async def _refresh(
        self, session: LiveSession, resource: Resource, lease: Lease, purpose: Purpose
    ) -> AccessToken:
        """Return a new token, kept by then; raises RefreshRefused, which is remembered.

        A grant that is dead is asked for again where somebody has replaced it meanwhile: a holder that was stopped for
        longer than its lease has spent a refresh token that its successor has renewed.
        """
        version = await session.records.version(CACHE)
        try:
            return await self._ask(session, resource, version, lease, purpose)
        except RefreshRefused as refused:
            if refused.refusal.kind is not RefusalKind.GRANT_DEAD:
                raise
            await session.records.refresh([CACHE.field(), CACHE.version_field])
            newer = await session.records.version(CACHE)
            if newer == version:
                raise
        return await self._ask(session, resource, newer, lease, purpose)

    async def _ask(
        self, session: LiveSession, resource: Resource, version: int, lease: Lease, purpose: Purpose
    ) -> AccessToken:
        """Ask the authority once, and keep what it gives; raises RefreshRefused."""
        serialized = await session.records.get(CACHE)
        await _check_reach(session, resource, serialized)
        cache = await new_token_cache(serialized.decode() if serialized else None)
        beside, turn = purpose is RENEWAL, self._turns[purpose].turn
        try:
            token = await self._request.send(session, resource, cache, purpose=purpose, turn=turn)
        except RefreshRefused as refused:
            self._counts.refreshed(resource.name, refused.refusal.kind.value)
            if refused.keeps_cache:
                await self._keep(session, {}, cache, version)
            if beside or (refused.refusal.kind is not RefusalKind.GRANT_DEAD and refused.seconds):
                await self._remember(session, resource, refused, beside=beside)
            raise
        self._counts.refreshed(resource.name, "renewed")
        await turn()
        await self._keep(session, token_entry(resource, token), cache, version, lease)
        return token

    async def _keep(
        self,
        session: LiveSession,
        token: Entries,
        cache: Any,
        version: int,
        lease: Lease | None = None,
    ) -> None:
        """Keep what was redeemed in one step, trying again when Redis stumbles; the caller has its token in any case.

        What cannot be kept is not lost for good: Entra leaves the previous refresh token valid.
        """
        records = session.records
        with redis_budget(_KEEPING_SECONDS):
            for pause in (*_KEEPING_PAUSES, None):
                try:
                    if cache.has_state_changed:
                        renewed = cache_entry(cache.serialize(), session.absolute_at)
                        await records.swap(CACHE, renewed, version=version, beside=token, release=lease)
                    elif token:
                        await records.put(token, release=lease)
                except errors.SessionStoreUnavailable as error:
                    if pause is None:
                        ref, cause = session.ref.short, error.log_detail
                        log_event(_log, logging.WARNING, "token-not-kept", session=ref, cause=cause)
                        return
                    await asyncio.sleep(pause)
                else:
                    return

    async def _check_memory(self, session: LiveSession, resource: Resource) -> None:
        """Raise the refusal of the last seconds again, if somebody who needed a token met one."""
        remembered = await self._remembered(session, resource)
        if remembered and not remembered.beside:
            refusal = Refusal(RefusalKind(remembered.kind), remembered.told, claims=remembered.claims)
            raise RefreshRefused(refusal, remembered.until - self._now())

    async def _remembered(self, session: LiveSession, resource: Resource) -> RememberedRefusal | None:
        """Return the refusal of the last seconds that concerns the whole session, or else the resource."""
        if of_session := await session.records.get(REFUSAL):
            return of_session
        return await session.records.get(REFUSAL, resource.key)

    async def _remember(
        self, session: LiveSession, resource: Resource, refused: RefreshRefused, *, beside: bool
    ) -> None:
        """Remember a refusal; one that holds the session does so to the second, whoever met it."""
        beside = beside and not refused.holds_session
        seconds = max(refused.seconds, BESIDE_SECONDS) if beside else refused.seconds
        refusal, until = refused.refusal, self._now() + min(seconds, LONGEST_PAUSE)
        memory = RememberedRefusal(refusal.kind.value, refusal.error, refusal.claims, until, beside)
        name = "" if refused.holds_session else resource.key
        with contextlib.suppress(errors.SessionStoreUnavailable):
            await session.records.put(REFUSAL.entry(memory, until, name))


async def _check_reach(session: LiveSession, resource: Resource, serialized: bytes | None) -> None:
    """Raise RefreshRefused where asking is known to be in vain; a cache that we cannot open says nothing."""
    if serialized and not holds_refresh_token(serialized):
        raise RefreshRefused(Refusal(RefusalKind.GRANT_DEAD, NOT_RENEWABLE), 0)
    granted = await session.records.get(GRANTED)
    if granted is not None and resource.scope not in granted:
        raise RefreshRefused(Refusal(RefusalKind.INTERACTION, "scope_not_granted"), 0)
