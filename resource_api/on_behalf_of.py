"""Tokens for Graph, got on behalf of the caller.

Owns the exchange (RFC 8693's forerunner, Entra's on-behalf-of), what its refusals mean for us, and the memory of
the tokens: by the assertion that was shown and never by the person, so that a token can only come back to whoever
holds the very assertion it was issued for. MSAL's own cache files them under the person and is kept empty.
Never shows a token of Graph to anybody but Graph.
"""

import asyncio
import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from resource_api import errors
from resource_api.access_tokens import Caller
from servicekit.entra import EntraClient
from servicekit.errors import AccessBlocked, AuthorityThrottles, AuthorityUnavailable, Misconfigured
from servicekit.logs import log_event
from servicekit.problems import ProblemError
from servicekit.reference import current_reference
from servicekit.refusals import Refusal, RefusalKind, refusal_of
from servicekit.token_answer import lifetime
from servicekit.token_threads import LONGEST_HOLD, ON_BEHALF_OF

GRAPH_SCOPE: Final = "https://graph.microsoft.com/User.ReadWrite"
MARGIN_SECONDS: Final = 60
_MARGIN_PART: Final = 1 / 10
MOST_TOKENS: Final = 5000
_PAUSE_SECONDS: Final = 5
"""How long a person is held whom the authority tells 429 without saying for how long."""

_log = logging.getLogger(__name__)


class GraphTokens:
    """Exchanges a caller's token for one for Graph, once per assertion however many requests come with it.

    `now` is the wall clock. A remembered token is forgotten in the last tenth of what is left to it or to its
    assertion, a minute before the end at most.
    """

    def __init__(self, entra: EntraClient, *, now: Callable[[], float] = time.time) -> None:
        self._entra = entra
        self._now = now
        self._tokens: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._exchanges: dict[bytes, asyncio.Task[str]] = {}
        self._held: OrderedDict[str, float] = OrderedDict()

    def remembered(self, caller: Caller) -> str | None:
        """Return the token that is remembered for the caller's assertion; None where one is to be asked for."""
        entry = self._tokens.get(_key(caller))
        return entry[0] if entry and self._now() < entry[1] else None

    async def token(self, caller: Caller) -> str:
        """Return an access token for Graph.

        A person for whom the authority answers 429 is held for as long as it says, a minute at most, and nobody else.
        Raises InsufficientClaims, InvalidToken, AccessBlocked, Misconfigured, Overloaded, AuthorityUnavailable.
        """
        if token := self.remembered(caller):
            return token
        key = _key(caller)
        self._refuse_while_held(caller)
        task = self._exchanges.get(key)
        if task is None:
            task = asyncio.create_task(self._exchange(caller, key), name=current_reference())
            self._exchanges[key] = task
            task.add_done_callback(lambda done: self._exchanged(key, done))
        else:
            # The lines about it are under the reference of the request that began it.
            log_event(_log, logging.INFO, "exchange-joined", begun_by=task.get_name())
        # One caller that hangs up must not fail the others, nor waste a token that was issued.
        return await asyncio.shield(task)

    def forget(self, caller: Caller) -> None:
        """Drop what is remembered for the caller's assertion: Graph refused it."""
        self._tokens.pop(_key(caller), None)

    def _refuse_while_held(self, caller: Caller) -> None:
        left = self._held.get(caller.oid, 0.0) - self._now()
        # A clock that was set back makes no pause longer.
        if 0 < left <= LONGEST_HOLD:
            raise AuthorityThrottles("429 a moment ago", retry_after=math.ceil(left))

    def _hold(self, caller: Caller, seconds: float) -> None:
        self._held[caller.oid] = self._now() + min(seconds, LONGEST_HOLD)
        self._held.move_to_end(caller.oid)
        while len(self._held) > MOST_TOKENS:
            self._held.popitem(last=False)

    def _exchanged(self, key: bytes, task: asyncio.Task[str]) -> None:
        self._exchanges.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever still waits gets it; nobody else needs to hear of it

    async def _exchange(self, caller: Caller, key: bytes) -> str:
        asked_at = self._now()
        try:
            answer = await self._entra.call(
                lambda client: client.acquire_token_on_behalf_of(caller.token, [GRAPH_SCOPE]),
                purpose=ON_BEHALF_OF,
                who=caller.oid,
            )
        except AuthorityThrottles as error:
            self._hold(caller, error.retry_after or _PAUSE_SECONDS)
            raise
        except ProblemError:
            raise
        except Exception as error:
            # What a broken ID token provokes in MSAL. Its texts hold claims; only the kind may be told.
            raise AuthorityUnavailable(f"on-behalf-of: MSAL raised {type(error).__name__}") from error
        refusal = refusal_of(answer)
        if refusal is not None:
            raise _failure(refusal)
        token: str = answer["access_token"]
        # A token of an unknown life serves this caller and is not remembered.
        left = min(lifetime(answer.get("expires_in")) or 0, caller.expires_at - asked_at)
        self._keep(key, token, asked_at + left - min(MARGIN_SECONDS, left * _MARGIN_PART))
        return token

    def _keep(self, key: bytes, token: str, until: float) -> None:
        if until <= self._now():
            return
        self._tokens[key] = (token, until)
        self._tokens.move_to_end(key)
        while len(self._tokens) > MOST_TOKENS:
            self._tokens.popitem(last=False)


def _key(caller: Caller) -> bytes:
    return hashlib.sha256(f"{GRAPH_SCOPE}\n{caller.token}".encode()).digest()


def _failure(refusal: Refusal) -> ProblemError:
    """Return what a refused exchange means for the caller."""
    reason = f"on-behalf-of: {refusal}"
    if refusal.kind is RefusalKind.INTERACTION:
        return errors.InsufficientClaims(refusal.claims, cause=reason)
    if refusal.kind is RefusalKind.GRANT_DEAD:
        return errors.InvalidToken(reason)
    if refusal.kind is RefusalKind.BLOCKED:
        return AccessBlocked(log_detail=reason)
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(reason)
    log_event(_log, logging.ERROR, "on-behalf-of-misconfigured", refusal=str(refusal), look_at=_hint(refusal))
    return Misconfigured(log_detail=reason)


def _hint(refusal: Refusal) -> str:
    """Say where an operator should look; the number behind it is in the log line itself."""
    if refusal.error == "invalid_client":
        return "RESOURCE_API_CLIENT_SECRET or _CERTIFICATE: is it of this registration, and not expired?"
    if refusal.error == "unauthorized_client":
        return "RESOURCE_API_CLIENT_ID: is this API registered in the tenant of RESOURCE_API_TENANT_ID?"
    if refusal.error == "unsupported_grant_type":
        return "RESOURCE_API_AUTHORITY: is it Entra? Only Entra gives tokens for Graph on behalf of somebody"
    if "consent_required" in {refusal.error, refusal.suberror}:
        return "the API's registration: Graph's delegated User.ReadWrite needs an administrator's consent"
    return "the API's registration: permissions, exposed scope, and who may ask for it"
