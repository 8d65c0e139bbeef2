"""Silent refreshes: how an access token that ended is replaced, once for everyone who waits.

Owns that there is one token request at a time, what is kept of its answer, that a refusal is remembered, and what it
means for the session.
Never decides whether a refresh is due (the broker does), and never speaks to MSAL (`refresh_request.py`).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

from gateway import errors
from gateway.counts import Counts
from gateway.failpoints import Failpoints
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.leases import LeaseTaken, lease
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Vault
from gateway.tokens.id_token import IdTokenJudge
from gateway.tokens.refresh_request import Brought, RefreshRequest
from gateway.tokens.token_records import (
    AccessToken,
    RememberedRefusal,
    Resource,
    TokenRecords,
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

_log = logging.getLogger(__name__)


class SilentRefresh:
    """Replaces access tokens from the session's refresh token; `now` is the wall clock in seconds."""

    def __init__(
        self,
        entra: EntraClient,
        judge: IdTokenJudge,
        vault: Vault,
        sessions: SessionStore,
        *,
        now: Callable[[], float],
        failpoints: Failpoints | None = None,
        counts: Counts | None = None,
    ) -> None:
        self._failpoints = failpoints or Failpoints()
        self._counts = counts or Counts()
        self._request = RefreshRequest(entra, judge, now=now, failpoints=self._failpoints)
        self._vault = vault
        self._sessions = sessions
        self._records = TokenRecords(vault)
        self._now = now

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Refresh while holding the session's lease, or return what its last holder brought.

        One lease for all resources: they share MSAL's cache, and a refresh token that rotates.
        Raises as `TokenBroker.access_token` does.
        """
        try:
            async with lease(self._vault, session.ref, "refresh"):
                return await self._under_lease(session, resource)
        except LeaseTaken:
            raise AuthorityUnavailable(
                "the token request of another process does not end", retry_after=2
            ) from None

    async def _under_lease(self, session: LiveSession, resource: Resource) -> AccessToken:
        kept = await self._records.access_token(session, resource)
        if kept and kept.expires_at - self._now() > FRESH_SECONDS:
            return kept
        outcome = await self._remembered(session, resource) or await self._refresh(session, resource)
        if isinstance(outcome, AccessToken):
            return outcome
        return await self._refused(session, resource, outcome, kept)

    async def _refresh(self, session: LiveSession, resource: Resource) -> AccessToken | Refusal:
        """Return a new token, kept by then, or why there is none.

        A grant that is dead is asked for again where somebody has replaced it meanwhile: a holder that was stopped for
        longer than its lease has spent a refresh token that its successor has renewed.
        """
        for _ in range(2):
            serialized, version = await self._records.cache(session)
            outcome = await self._ask(session, resource, new_token_cache(serialized), version)
            if isinstance(outcome, AccessToken):
                self._counts.refreshed(resource.name, "renewed")
                return outcome
            self._counts.refreshed(resource.name, outcome.kind.value)
            if outcome.kind is not RefusalKind.GRANT_DEAD:
                return outcome
            if (await self._records.cache(session))[1] == version:
                break
        return outcome

    async def _ask(
        self,
        session: LiveSession,
        resource: Resource,
        cache: Any,  # noqa: ANN401 - msal ships no types
        version: int,
    ) -> AccessToken | Refusal:
        """Ask the authority once, and keep what it gives."""
        told = await self._request.send(session, resource, cache)
        if isinstance(told, Brought):
            await self._keep(session, resource, told.token, cache, version)
            return told.token
        if told.keeps_cache:
            await self._keep(session, resource, None, cache, version)
        if told.refusal.kind is not RefusalKind.GRANT_DEAD and told.seconds:
            await self._remember(session, resource, told.refusal, told.seconds)
        return told.refusal

    async def _keep(
        self,
        session: LiveSession,
        resource: Resource,
        token: AccessToken | None,
        cache: Any,  # noqa: ANN401
        version: int,
    ) -> None:
        """Keep what was redeemed, trying again when Redis stumbles; the caller has its token in any case.

        What cannot be kept is not lost for good: Entra leaves the previous refresh token valid.
        """
        with redis_budget(_KEEPING_SECONDS):
            for pause in (0.05, 0.2, 0.8, None):
                try:
                    if cache.has_state_changed:
                        await self._records.keep_cache(session, cache.serialize(), version=version)
                        await self._failpoints.reach("cache-kept")
                    if token:
                        await self._records.keep_token(session, resource, token)
                except errors.SessionStoreUnavailable as error:
                    if pause is None:
                        ref, cause = session.ref.short, error.log_detail
                        log_event(_log, logging.WARNING, "token-not-kept", session=ref, cause=cause)
                        return
                    await asyncio.sleep(pause)
                else:
                    return

    async def _remembered(self, session: LiveSession, resource: Resource) -> Refusal | None:
        known = await self._records.refusal(session, resource)
        return Refusal(RefusalKind(known.kind), known.told, claims=known.claims) if known else None

    async def _remember(
        self, session: LiveSession, resource: Resource, refusal: Refusal, seconds: float
    ) -> None:
        until = self._now() + min(seconds, LONGEST_PAUSE)
        known = RememberedRefusal(refusal.kind.value, refusal.error, refusal.claims, until)
        with contextlib.suppress(errors.SessionStoreUnavailable):
            await self._records.keep_refusal(session, resource, known)

    async def _refused(
        self, session: LiveSession, resource: Resource, refusal: Refusal, kept: AccessToken | None
    ) -> AccessToken:
        """Raise what the refusal means; a kept token with some life left is used while the authority is away."""
        if refusal.kind is RefusalKind.UNAVAILABLE:
            if kept and kept.expires_at - self._now() > USABLE_SECONDS:
                return kept
            known = await self._records.refusal(session, resource)
            wait = round(known.until - self._now()) if known else _PAUSE_SECONDS
            raise AuthorityUnavailable(str(refusal) or refusal.error, retry_after=max(1, wait))
        if refusal.kind is RefusalKind.GRANT_DEAD and refusal.error == _NO_GRANT:
            # The session has ended meanwhile; or its cache is sealed by a key that another gateway has and we have
            # not, as while keys change, and then the session is not ours to end.
            raise errors.SignInRequired(await self._vault.ended(session.ref) or "expired")
        if refusal.kind is RefusalKind.GRANT_DEAD:
            await self._sessions.end(session, "revoked")
            log_event(_log, logging.INFO, "grant-dead", refusal=str(refusal), session=session.ref.short)
            # A step-up of another tab may have replaced the session meanwhile, and this one may try again with it.
            raise errors.SignInRequired(await self._vault.ended(session.ref) or "revoked")
        if refusal.kind is RefusalKind.INTERACTION:
            raise errors.StepUpRequired(scope=resource.scope, claims=refusal.claims, cause=str(refusal))
        raise of_administration(refusal)


def of_administration(refusal: Refusal) -> ProblemError:
    """Return what a refusal is that no sign-in of this person would change now."""
    if refusal.kind is RefusalKind.BLOCKED:
        return AccessBlocked(log_detail=str(refusal))
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(str(refusal))
    return Misconfigured(log_detail=f"the authority refuses our token requests: {refusal}")
