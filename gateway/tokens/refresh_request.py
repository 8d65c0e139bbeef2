"""One token request with a session's refresh token: what is asked, and whether the answer may be used.

Owns the call to MSAL and the judging of what came back: a token, a refusal, or an answer that is not to be trusted.
Never keeps anything, and never decides what a refusal means for the session; `refresh.py` does both.
"""

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from gateway import errors
from gateway.session.sessions import LiveSession
from gateway.tokens.access_token import AccessToken, access_token_of
from gateway.tokens.id_token import AnotherPerson, IdTokenJudge
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import REFUSAL_SECONDS, with_newer_refresh_token
from servicekit.entra import EntraClient
from servicekit.errors import (
    AuthorityNotAsked,
    AuthorityThrottles,
    AuthorityUnavailable,
    Misconfigured,
    Overloaded,
)
from servicekit.jwt_verifier import UNKNOWN_KEY, TokenRejected
from servicekit.logs import log_event
from servicekit.refusals import Refusal, RefusalKind, refusal_of
from servicekit.token_threads import Purpose

_PAUSE_SECONDS: Final = 5
# The refresh token does not reach this far (RFC 6749, section 6), and elsewhere than at Entra the person can grant it.
_GRANTED_BY_THE_PERSON: Final = frozenset({"invalid_scope", "insufficient_scope", "consent_required"})

_log = logging.getLogger(__name__)


class RefreshRefused(Exception):
    """There is no token: `refusal` says why, `seconds` for how long it makes no sense to ask again.

    `keeps_cache` says that MSAL's cache must be kept nevertheless: the refresh token in it may be the only one that
    still works. `holds_session` says that it makes no sense for any resource of this session.
    """

    def __init__(
        self,
        refusal: Refusal,
        seconds: float = REFUSAL_SECONDS,
        *,
        keeps_cache: bool = False,
        holds_session: bool = False,
    ) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.seconds = seconds
        self.keeps_cache = keeps_cache
        self.holds_session = holds_session

    @property
    def leaves_token(self) -> bool:
        """Tell whether a token may serve for its last moments: the authority cannot say, or was not asked."""
        return self.refusal.kind is RefusalKind.UNAVAILABLE or not self.seconds


class RefreshRequest:
    """Asks one authority; `now` is the wall clock in seconds, `jitter` gives numbers from 0 to 1."""

    def __init__(
        self,
        entra: EntraClient,
        id_tokens: IdTokenJudge,
        *,
        now: Callable[[], float],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._entra = entra
        self._id_tokens = id_tokens
        self._now = now
        self._jitter = jitter

    async def send(
        self,
        session: LiveSession,
        resource: Resource,
        cache: Any,
        *,
        purpose: Purpose,
        turn: Callable[[], Awaitable[None]],
    ) -> AccessToken:
        """Return a token for `resource`, by what MSAL's `cache` holds; what comes with the token is put into it.

        `turn` is waited for before what came is judged.

        Raises RefreshRefused, and nothing else that the authority could provoke. Where nobody was asked, it raises
        Overloaded (our own threads are taken) or AuthorityNotAsked (the authority failed a moment ago): there is
        nothing to remember of that.
        """
        before = cache.serialize()

        def work(client: Any) -> dict[str, Any] | None:
            accounts = client.get_accounts()
            if len(accounts) != 1:  # a cache is redeemed into by one flow of one person
                return None
            answer: dict[str, Any] | None = client.acquire_token_silent_with_error(
                # Our own record says that a new one is due; MSAL's memory may still hold one that was refused.
                [resource.scope],
                accounts[0],
                force_refresh=True,
            )
            # MSAL makes None of an answer that says nothing; the caller has seen that there is a refresh token.
            return {} if answer is None else answer

        asked_at = self._now()
        try:
            answer = await self._entra.call(
                work, cache, purpose=purpose, who=str(session.ref), refreshing=True
            )
        except (Overloaded, AuthorityNotAsked):
            raise
        except AuthorityThrottles as error:
            # The limit may be of the person or the session, and is not of the resource.
            pause = error.retry_after or _PAUSE_SECONDS
            raise _unavailable(error.reason, pause, holds_session=True) from error
        except AuthorityUnavailable as error:
            raise _unavailable(error.reason, error.retry_after or _PAUSE_SECONDS) from error
        except Misconfigured as error:
            # Nothing was asked.
            raise RefreshRefused(Refusal(RefusalKind.MISCONFIGURED, error.log_detail), 0) from error
        except Exception as error:
            # MSAL raises whatever an odd answer provokes. Its text may hold a token; its kind may be told.
            raise _unavailable(f"MSAL raised {type(error).__name__}") from error
        await turn()
        if refusal := refusal_of(answer):
            raise RefreshRefused(self._read(refusal))
        try:
            await self._judge(session, (answer or {}).get("id_token"))
        except RefreshRefused:
            # MSAL files what came under the person whom an ID token names, also one that we refuse, and a cache of two
            # persons would never be redeemed again.
            cache.deserialize(with_newer_refresh_token(before, cache.serialize()))
            cache.has_state_changed = True
            raise
        return access_token_of(answer or {}, asked_at=asked_at, jitter=self._jitter())

    def _read(self, refusal: Refusal) -> Refusal:
        if refusal.error in _GRANTED_BY_THE_PERSON and self._entra.is_plain:
            return replace(refusal, kind=RefusalKind.INTERACTION)
        return refusal

    async def _judge(self, session: LiveSession, id_token: object) -> None:
        """Refuse an answer whose ID token is not whole, or not of this person; the latter alone ends the session.

        An answer without one is fine (OpenID Connect Core, section 12.2). A token that is refused for the authority's
        own fault, as after a bad rollout there, is nobody's reason to sign everybody out
        (docs/explanation/decisions/2026-11-26-refreshed-id-tokens.md).
        """
        if id_token is None:
            return
        user = session.user
        try:
            await self._id_tokens.check_renewed(id_token, tid=user.tid, oid=user.oid, sub=user.sub)
        except AnotherPerson as another:
            log_event(
                _log, logging.WARNING, "refresh-by-another", claims=str(another), session=session.ref.short
            )
            raise RefreshRefused(Refusal(RefusalKind.GRANT_DEAD, "id_token_of_another")) from another
        except AuthorityUnavailable as error:
            raise _unavailable(error.reason, keeps_cache=True) from error
        except Misconfigured as error:
            refusal = Refusal(RefusalKind.MISCONFIGURED, error.log_detail)
            raise RefreshRefused(refusal, keeps_cache=True) from error
        except errors.SignInFailed as failed:
            cause = failed.__cause__
            if isinstance(cause, TokenRejected) and (cause.keys_may_be_old or cause.code == UNKNOWN_KEY):
                # Keys that rolled a moment ago, also under an old name, must not sign everybody out.
                raise _unavailable(cause.code, keeps_cache=True) from failed
            reason, ref = failed.log_detail, session.ref.short
            log_event(_log, logging.WARNING, "refresh-distrusted", reason=reason, session=ref)
            raise _unavailable("id_token_rejected", keeps_cache=True) from failed


def _unavailable(
    reason: str,
    seconds: float = REFUSAL_SECONDS,
    *,
    keeps_cache: bool = False,
    holds_session: bool = False,
) -> RefreshRefused:
    refusal = Refusal(RefusalKind.UNAVAILABLE, reason)
    return RefreshRefused(refusal, seconds, keeps_cache=keeps_cache, holds_session=holds_session)
