"""The token broker: the only owner of MSAL and of what it answers.

Owns beginning a journey to the authority, redeeming its code, and handing out access tokens: from the record while
one lives, else by one silent refresh that all waiting requests share.
Never sees a request or a response, and never hands out a refresh token or an ID token.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from gateway import errors
from gateway.id_token import IdTokenJudge, Person
from gateway.leases import lease
from gateway.sessions import LiveSession, SessionStore
from gateway.token_records import (
    REFUSAL_SECONDS,
    AccessToken,
    RememberedRefusal,
    Resource,
    TokenRecords,
    access_token_of,
)
from gateway.vault import Vault
from servicekit.authority_transport import AuthorityUnavailable
from servicekit.discovery import IssuerMismatch
from servicekit.entra import EntraClient, new_token_cache
from servicekit.logs import log_event
from servicekit.problems import ProblemError
from servicekit.refusals import Refusal, RefusalKind, refusal_of

# MSAL renews below 300 s as well; the same limit keeps its memory and ours in step.
_FRESH_SECONDS: Final = 300
_USABLE_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 5
_LONGEST_PAUSE: Final = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and what must be remembered to understand its return."""

    authorize_url: str
    msal_flow: dict[str, Any]
    nonce: str


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a journey brought: a person, an access token, and MSAL's cache with the rest."""

    person: Person
    token: AccessToken
    cache: str


class TokenBroker:
    """Speaks to the authority for one app registration.

    `now` is the wall clock in seconds; `redirect_uri` is where the authority sends the browser back to.
    """

    def __init__(
        self,
        entra: EntraClient,
        judge: IdTokenJudge,
        vault: Vault,
        sessions: SessionStore,
        *,
        now: Callable[[], float],
        redirect_uri: str,
        response_mode: str,
    ) -> None:
        self._entra = entra
        self._judge = judge
        self._vault = vault
        self._sessions = sessions
        self._records = TokenRecords(vault)
        self._now = now
        self._redirect_uri = redirect_uri
        self._response_mode = response_mode
        self._flights: dict[tuple[str, str], asyncio.Task[AccessToken]] = {}

    async def begin(
        self,
        resource: Resource,
        *,
        state: str,
        prompt: str | None = None,
        login_hint: str | None = None,
        claims: str | None = None,
    ) -> Departure:
        """Prepare a journey with PKCE, state and nonce for one resource; raises AuthorityUnavailable."""

        def work(client: Any) -> dict[str, Any]:  # noqa: ANN401 - msal ships no types
            flow: dict[str, Any] = client.initiate_auth_code_flow(
                [resource.scope] if resource.scope else [],
                redirect_uri=self._redirect_uri,
                state=state,
                prompt=prompt,
                login_hint=login_hint,
                response_mode=self._response_mode,
                claims_challenge=claims,
            )
            return flow

        flow = await self._ask(work, None)
        url = flow.pop("auth_uri")
        (nonce,) = parse_qs(urlsplit(url).query)["nonce"]
        return Departure(url, flow, nonce)

    async def redeem(self, flow: dict[str, Any], nonce: str, answer: dict[str, str]) -> Redeemed:
        """Redeem the authorization answer into an empty cache, and judge the ID token.

        Nothing is kept unless everything is right: MSAL fills its cache before it checks the nonce.
        Raises AuthFlowRejected, AccessBlocked, Misconfigured or AuthorityUnavailable.
        """
        cache = new_token_cache()
        flow = dict(flow)  # MSAL takes the claims out of it

        def work(client: Any) -> dict[str, Any]:  # noqa: ANN401
            got: dict[str, Any] = client.acquire_token_by_auth_code_flow(flow, answer)
            return got

        try:
            got = await self._ask(work, cache)
        except ProblemError:
            raise
        except Exception as error:
            # MSAL: ValueError for state, RuntimeError for the nonce, and whatever a broken ID token provokes.
            # Their texts hold state, nonces and claims; only the kind may be told.
            raise errors.SignInFailed(log_detail=f"MSAL raised {type(error).__name__}") from error
        refusal = refusal_of(got)
        if refusal is not None:
            raise _of_redemption(refusal)
        try:
            person = await self._judge.person(got.get("id_token"), nonce=nonce)
        except AuthorityUnavailable as error:
            raise errors.AuthorityUnavailable(error.reason, retry_after=error.retry_after) from error
        except IssuerMismatch as error:
            raise errors.Misconfigured(log_detail=str(error)) from error
        return Redeemed(person, access_token_of(got, now=self._now()), cache.serialize())

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Return an access token for `resource`.

        Raises StepUpRequired, SignInRequired (the grant is dead; the session is ended), AccessBlocked,
        Misconfigured, AuthorityUnavailable.
        """
        kept = await self._records.access_token(session, resource)
        if kept and kept.expires_at - self._now() > _FRESH_SECONDS:
            return kept
        key = (str(session.ref), resource.name)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._refresh_once(session, resource))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        # Shielded: a caller that goes away must not take a token with it that was redeemed already.
        return await asyncio.shield(flight)

    async def forget_token(self, session: LiveSession, resource: Resource) -> None:
        """Drop the kept access token: the resource refused or challenged it."""
        await self._records.forget_token(session, resource)

    def _landed(self, key: tuple[str, str], flight: asyncio.Task[AccessToken]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # whoever waited has it; nobody may be left to ask

    async def _refresh_once(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Refresh while holding the session's lease, or use what its last holder brought.

        One lease for all resources: they share MSAL's cache, and a refresh token that rotates.
        """
        async with lease(self._vault, session.ref, "refresh"):
            kept = await self._records.access_token(session, resource)
            if kept and kept.expires_at - self._now() > _FRESH_SECONDS:
                return kept
            refusal = await self._remembered(session, resource) or await self._refresh(session, resource)
            if isinstance(refusal, AccessToken):
                return refusal
            return await self._refused(session, resource, refusal, kept)

    async def _refresh(self, session: LiveSession, resource: Resource) -> AccessToken | Refusal:
        """Ask the authority once; return the token, kept by then, or why there is none."""
        serialized, version = await self._records.cache(session)
        cache = new_token_cache(serialized)

        def work(client: Any) -> dict[str, Any] | None:  # noqa: ANN401
            accounts = client.get_accounts()
            if len(accounts) != 1:  # a cache is redeemed into by one journey of one person
                return None
            got: dict[str, Any] | None = client.acquire_token_silent_with_error([resource.scope], accounts[0])
            return got

        try:
            got = await self._entra.call(work, cache)
        except AuthorityUnavailable as error:
            refusal = Refusal(RefusalKind.UNAVAILABLE, error.reason)
            await self._remember(session, resource, refusal, error.retry_after or _PAUSE_SECONDS)
            return refusal
        refusal_or_none = refusal_of(got)
        if refusal_or_none is None and got is not None:
            token = access_token_of(got, now=self._now())
            await self._keep(session, resource, token, cache, version)
            return token
        refusal = refusal_or_none or Refusal(RefusalKind.GRANT_DEAD, "no_grant")
        if refusal.kind is not RefusalKind.GRANT_DEAD:
            await self._remember(session, resource, refusal, REFUSAL_SECONDS)
        return refusal

    async def _keep(
        self,
        session: LiveSession,
        resource: Resource,
        token: AccessToken,
        cache: Any,  # noqa: ANN401
        version: int,
    ) -> None:
        """Keep what was redeemed, trying again when Redis stumbles; the caller has its token in any case.

        What cannot be kept is not lost for good: Entra leaves the previous refresh token valid.
        """
        for pause in (0.05, 0.2, 0.8, None):
            try:
                if cache.has_state_changed:
                    await self._records.keep_cache(session, cache.serialize(), version=version)
                await self._records.keep_token(session, resource, token)
            except errors.SessionStoreUnavailable as error:
                if pause is None:
                    log_event(
                        _log,
                        logging.WARNING,
                        "token-not-kept",
                        session=session.ref.short,
                        cause=error.log_detail,
                    )
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
        until = self._now() + min(seconds, _LONGEST_PAUSE)
        known = RememberedRefusal(refusal.kind.value, refusal.error, refusal.claims, until)
        with contextlib.suppress(errors.SessionStoreUnavailable):
            await self._records.keep_refusal(session, resource, known)

    async def _refused(
        self, session: LiveSession, resource: Resource, refusal: Refusal, kept: AccessToken | None
    ) -> AccessToken:
        """Raise what the refusal means; a kept token with some life left is used while the authority is away."""
        if refusal.kind is RefusalKind.UNAVAILABLE:
            if kept and kept.expires_at - self._now() > _USABLE_SECONDS:
                return kept
            known = await self._records.refusal(session, resource)
            wait = round(known.until - self._now()) if known else _PAUSE_SECONDS
            raise errors.AuthorityUnavailable(str(refusal) or refusal.error, retry_after=max(1, wait))
        if refusal.kind is RefusalKind.GRANT_DEAD:
            await self._sessions.end(session, "revoked")
            log_event(_log, logging.INFO, "grant-dead", refusal=str(refusal), session=session.ref.short)
            raise errors.SignInRequired("revoked")
        if refusal.kind is RefusalKind.INTERACTION:
            raise errors.StepUpRequired(scope=resource.scope, claims=refusal.claims, cause=str(refusal))
        raise _of_administration(refusal)

    async def _ask(self, work: Callable[[Any], Any], cache: Any) -> Any:  # noqa: ANN401
        try:
            return await self._entra.call(work, cache)
        except AuthorityUnavailable as error:
            raise errors.AuthorityUnavailable(error.reason, retry_after=error.retry_after) from error


def _of_redemption(refusal: Refusal) -> ProblemError:
    if refusal.kind is RefusalKind.GRANT_DEAD:
        return errors.SignInExpired(log_detail=str(refusal))
    if refusal.kind is RefusalKind.INTERACTION:
        return errors.SignInFailed(log_detail=str(refusal))
    return _of_administration(refusal)


def _of_administration(refusal: Refusal) -> ProblemError:
    """Return what a refusal is that no sign-in of this person would change now."""
    if refusal.kind is RefusalKind.BLOCKED:
        return errors.AccessBlocked(log_detail=str(refusal))
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return errors.AuthorityUnavailable(str(refusal))
    return errors.Misconfigured(log_detail=f"the authority refuses our token requests: {refusal}")
