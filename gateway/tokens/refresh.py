"""Silent refreshes: how an access token that ended is replaced, once for everyone who waits.

Owns that there is one token request at a time, what is kept of its answer, that a refusal is remembered, and what it
means for the session.
Never decides whether a refresh is due (the broker does), and never speaks to MSAL (`refresh_request.py`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final, TypeGuard

from gateway import errors
from gateway.counts import Counts
from gateway.demand import Demand
from gateway.session.records import Entries
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.leases import Lease, LeaseTaken
from gateway.store.redis.budget import redis_budget
from gateway.tokens.id_token import IdTokenJudge
from gateway.tokens.refresh_request import RefreshRefused, RefreshRequest
from gateway.tokens.token_records import (
    CACHE,
    REFUSAL,
    TOKEN,
    AccessToken,
    RememberedRefusal,
    Resource,
    cache_entry,
    fields_to_renew,
    token_entry,
)
from servicekit.entra import EntraClient, new_token_cache
from servicekit.errors import AccessBlocked, AuthorityUnavailable, Misconfigured
from servicekit.logs import log_event
from servicekit.problems import ProblemError
from servicekit.refusals import Refusal, RefusalKind

# MSAL renews below 300 s as well; the same limit keeps its memory and ours in step.
FRESH_SECONDS: Final = 300
USABLE_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 5
LONGEST_PAUSE: Final = 60
_NO_GRANT: Final = "no_grant"
# For keeping what was redeemed, whatever the request has used up before.
_KEEPING_SECONDS: Final = 2.0
_KEEPING_PAUSES: Final = (0.05, 0.2, 0.8)

_log = logging.getLogger(__name__)


class SilentRefresh:
    """Replaces access tokens from the session's refresh token; `now` is the wall clock in seconds."""

    def __init__(
        self,
        entra: EntraClient,
        id_tokens: IdTokenJudge,
        sessions: SessionStore,
        *,
        now: Callable[[], float],
        counts: Counts | None = None,
    ) -> None:
        self._counts = counts or Counts()
        self._request = RefreshRequest(entra, id_tokens, now=now)
        self._sessions = sessions
        self._now = now

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Refresh while holding the session's lease, or return what its last holder brought.

        One lease for all resources: they share MSAL's cache, and a refresh token that rotates.
        Raises as `TokenBroker.access_token` does.
        """
        try:
            async with session.records.lease("refresh", fields=fields_to_renew(resource)) as lease:
                return await self._under_lease(session, resource, lease)
        except LeaseTaken:
            raise AuthorityUnavailable(
                "the token request of another process does not end", retry_after=2
            ) from None

    async def _under_lease(self, session: LiveSession, resource: Resource, lease: Lease) -> AccessToken:
        token = await session.records.get(TOKEN, resource.name)
        if token and token.expires_at - self._now() > FRESH_SECONDS:
            return token
        try:
            await self._check_memory(session, resource)
            return await self._refresh(session, resource, lease)
        except RefreshRefused as refused:
            if refused.refusal.kind is RefusalKind.UNAVAILABLE and self._is_usable(token):
                return token
            raise await self._meaning(session, resource, refused) from refused

    def _is_usable(self, token: AccessToken | None) -> TypeGuard[AccessToken]:
        """Tell whether a token has some life left, for while the authority is away."""
        return token is not None and token.expires_at - self._now() > USABLE_SECONDS

    async def _refresh(self, session: LiveSession, resource: Resource, lease: Lease) -> AccessToken:
        """Return a new token, kept by then; raises RefreshRefused.

        A grant that is dead is asked for again where somebody has replaced it meanwhile: a holder that was stopped for
        longer than its lease has spent a refresh token that its successor has renewed.
        """
        version = await session.records.version(CACHE)
        try:
            return await self._ask(session, resource, version, lease)
        except RefreshRefused as refused:
            if refused.refusal.kind is not RefusalKind.GRANT_DEAD:
                raise
            await session.records.refresh([CACHE.field(), CACHE.version_field])
            newer = await session.records.version(CACHE)
            if newer == version:
                raise
        return await self._ask(session, resource, newer, lease)

    async def _ask(self, session: LiveSession, resource: Resource, version: int, lease: Lease) -> AccessToken:
        """Ask the authority once, and keep what it gives; raises RefreshRefused."""
        serialized = await session.records.get(CACHE)
        cache = new_token_cache(serialized.decode() if serialized else None)
        try:
            token = await self._request.send(session, resource, cache)
        except RefreshRefused as refused:
            self._counts.refreshed(resource.name, refused.refusal.kind.value)
            if refused.keeps_cache:
                await self._keep(session, {}, cache, version)
            if refused.refusal.kind is not RefusalKind.GRANT_DEAD and refused.seconds:
                await self._remember(session, resource, refused)
            raise
        self._counts.refreshed(resource.name, "renewed")
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
        """Raise the refusal of the last seconds again, if there was one."""
        remembered = await session.records.get(REFUSAL, resource.name)
        if remembered:
            refusal = Refusal(RefusalKind(remembered.kind), remembered.told, claims=remembered.claims)
            raise RefreshRefused(refusal, remembered.until - self._now())

    async def _remember(self, session: LiveSession, resource: Resource, refused: RefreshRefused) -> None:
        refusal, until = refused.refusal, self._now() + min(refused.seconds, LONGEST_PAUSE)
        memory = RememberedRefusal(refusal.kind.value, refusal.error, refusal.claims, until)
        with contextlib.suppress(errors.SessionStoreUnavailable):
            await session.records.put(REFUSAL.entry(memory, until, resource.name))

    async def _meaning(
        self, session: LiveSession, resource: Resource, refused: RefreshRefused
    ) -> ProblemError:
        """Return what a refusal means to the person; a dead grant ends the session."""
        refusal = refused.refusal
        if refusal.kind is RefusalKind.UNAVAILABLE:
            wait = min(refused.seconds, LONGEST_PAUSE) or _PAUSE_SECONDS
            return AuthorityUnavailable(str(refusal) or refusal.error, retry_after=max(1, round(wait)))
        if refusal.kind is RefusalKind.GRANT_DEAD and refusal.error == _NO_GRANT:
            # The session has ended meanwhile; or its cache is sealed by a key that another gateway has and we have
            # not, as while keys change, and then the session is not ours to end.
            return errors.SignInRequired(await session.records.end_reason() or "expired")
        if refusal.kind is RefusalKind.GRANT_DEAD:
            await self._sessions.end(session, "revoked")
            log_event(_log, logging.INFO, "grant-dead", refusal=str(refusal), session=session.ref.short)
            # A step-up of another tab may have replaced the session meanwhile, and this one may try again with it.
            return errors.SignInRequired(await session.records.end_reason() or "revoked")
        if refusal.kind is RefusalKind.INTERACTION:
            return errors.StepUpRequired(Demand(resource.scope, claims=refusal.claims), cause=str(refusal))
        return of_administration(refusal)


def of_administration(refusal: Refusal) -> ProblemError:
    """Return what a refusal is that no sign-in of this person would change now."""
    if refusal.kind is RefusalKind.BLOCKED:
        return AccessBlocked(log_detail=str(refusal))
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(str(refusal))
    return Misconfigured(log_detail=f"the authority refuses our token requests: {refusal}")
