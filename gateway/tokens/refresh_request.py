"""One token request with a session's refresh token: what is asked, and whether the answer may be used.

Owns the call to MSAL and the judging of what came back: a refusal, a token, or an answer that is not to be trusted.
Never keeps anything, and never decides what a refusal means for the session; `refresh.py` does both.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway import errors
from gateway.failpoints import Failpoints
from gateway.session.sessions import LiveSession
from gateway.tokens.id_token import IdTokenJudge
from gateway.tokens.token_records import REFUSAL_SECONDS, AccessToken, Resource, access_token_of
from servicekit.entra import EntraClient
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.jwt_verifier import UNKNOWN_KEY, TokenRejected
from servicekit.logs import log_event
from servicekit.refusals import Refusal, RefusalKind, refusal_of

_PAUSE_SECONDS: Final = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Brought:
    """The token that came; MSAL's cache holds what came with it."""

    token: AccessToken


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no token, and for how many seconds it makes no sense to ask again.

    `keeps_cache` says that MSAL's cache must be kept nevertheless: the refresh token in it may be the only one that
    still works.
    """

    refusal: Refusal
    seconds: float = REFUSAL_SECONDS
    keeps_cache: bool = False


class RefreshRequest:
    """Asks one authority; `now` is the wall clock in seconds."""

    def __init__(
        self, entra: EntraClient, judge: IdTokenJudge, *, now: Callable[[], float], failpoints: Failpoints
    ) -> None:
        self._entra = entra
        self._judge = judge
        self._now = now
        self._failpoints = failpoints

    async def send(self, session: LiveSession, resource: Resource, cache: Any) -> Brought | Refused:  # noqa: ANN401 - msal ships no types
        """Ask for a token for `resource` with what MSAL's `cache` holds, and put what comes into it.

        Raises nothing that the authority could provoke.
        """

        def work(client: Any) -> dict[str, Any] | None:  # noqa: ANN401
            accounts = client.get_accounts()
            if len(accounts) != 1:  # a cache is redeemed into by one journey of one person
                return None
            got: dict[str, Any] | None = client.acquire_token_silent_with_error(
                # Our own record says that a new one is due; MSAL's memory may still hold one that was refused.
                [resource.scope],
                accounts[0],
                force_refresh=True,
            )
            return got

        try:
            got = await self._entra.call(work, cache, refreshing=True)
        except AuthorityUnavailable as error:
            return Refused(_unavailable(error.reason), error.retry_after or _PAUSE_SECONDS)
        except Misconfigured as error:
            return Refused(Refusal(RefusalKind.MISCONFIGURED, error.log_detail), 0)  # nothing was asked
        except Exception as error:  # noqa: BLE001 - MSAL raises whatever an odd answer provokes
            # Its text may hold a token; its kind may be told.
            return Refused(_unavailable(f"MSAL raised {type(error).__name__}"))
        refusal = refusal_of(got)
        if refusal is not None:
            return Refused(self._read(refusal))
        return await self._judged(session, got or {})

    async def _judged(self, session: LiveSession, got: dict[str, Any]) -> Brought | Refused:
        await self._failpoints.reach("token-redeemed")
        distrust = await self._distrust(session, got.get("id_token"))
        if distrust is None:
            return Brought(access_token_of(got, now=self._now()))
        return Refused(distrust, keeps_cache=distrust.kind is RefusalKind.UNAVAILABLE)

    def _read(self, refusal: Refusal) -> Refusal:
        if refusal.error == "invalid_scope" and self._entra.is_plain:
            # The refresh token does not reach this far (RFC 6749, section 6); the person can grant it.
            return replace(refusal, kind=RefusalKind.INTERACTION)
        return refusal

    async def _distrust(self, session: LiveSession, id_token: object) -> Refusal | None:
        """Return why the answer must not be used: its ID token is not whole, or not of this person.

        An answer without one is fine (OpenID Connect Core, section 12.2).
        """
        if id_token is None:
            return None
        try:
            person = await self._judge.person(id_token, nonce=None)
        except AuthorityUnavailable as error:
            return _unavailable(error.reason)
        except errors.SignInFailed as failed:
            cause = failed.__cause__
            if isinstance(cause, TokenRejected) and cause.code == UNKNOWN_KEY:
                # Keys that rolled a moment ago must not sign everybody out.
                return _unavailable("unknown_key")
            log_event(_log, logging.WARNING, "refresh-distrusted", reason=failed.log_detail)
            return Refusal(RefusalKind.GRANT_DEAD, "id_token_rejected")
        if (person.tid, person.oid, person.sub) != (session.user.tid, session.user.oid, session.user.sub):
            log_event(_log, logging.WARNING, "refresh-by-another", session=session.ref.short)
            return Refusal(RefusalKind.GRANT_DEAD, "id_token_of_another")
        return None


def _unavailable(reason: str) -> Refusal:
    return Refusal(RefusalKind.UNAVAILABLE, reason)
