"""Who may call: the bearer token, the policy of a route, and what stands before a handler to enforce both.

Owns where a token may stand (RFC 6750, section 2.1: the header, once), what it must say for a delegated call of an
allowed client, and what each route asks beyond that: a scope, an authentication context, a recent sign-in.
Never trusts the gateway's word that somebody confirmed who they are: only the token counts.
Every route has a policy; one that has none is closed.
"""

import json
import string
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from resource_api import errors
from resource_api.access_tokens import Caller, caller_of
from resource_api.bad_tokens import BadTokens
from servicekit.callers import KNOWN
from servicekit.discovery import Discovery
from servicekit.http import routes
from servicekit.jwt_claims import LEEWAY_SECONDS, ClaimRules, authentication_time
from servicekit.jwt_form import LONGEST_TOKEN, TokenRejected
from servicekit.jwt_verifier import JwtVerifier
from servicekit.operations import Operation

CALLER: Final = web.RequestKey("caller", Caller)
_OF_TOKENS: Final = (string.ascii_letters + string.digits + "-._~+/").encode()
"""The characters of a `b64token`, which `=` may follow (RFC 6750, section 2.1)."""


@dataclass(frozen=True, slots=True)
class ScopePolicy:
    """What a route asks of a token that is good by itself.

    `scope` must be among the token's. `acrs` names an authentication context that must be proven, and
    `max_age_seconds` how long ago the person may have signed in; both are off where None. `leeway_seconds` is how far
    the authority's clock and ours may differ.
    """

    scope: str
    acrs: str | None = None
    max_age_seconds: int | None = None
    leeway_seconds: int = LEEWAY_SECONDS

    def check(self, scopes: Container[str], claims: Mapping[str, Any], now: float) -> None:
        """Raise InsufficientScope, InsufficientClaims or InsufficientUserAuthentication."""
        if self.scope not in scopes:
            raise errors.InsufficientScope(self.scope)
        if self.acrs is not None and self.acrs not in _words(claims.get("acrs")):
            demand = {"access_token": {"acrs": {"essential": True, "value": self.acrs}}}
            raise errors.InsufficientClaims(json.dumps(demand, separators=(",", ":")), cause="no such acrs")
        if self.max_age_seconds is not None:
            oldest = now - self.max_age_seconds - self.leeway_seconds
            if _signed_in_at(claims, latest=now + self.leeway_seconds) < oldest:
                raise errors.InsufficientUserAuthentication(
                    max_age=self.max_age_seconds, acr_values=self.acrs
                )


def _signed_in_at(claims: Mapping[str, Any], *, latest: float) -> float:
    """Return when the person signed in; a token that does not say, or says what is no time, proves no sign-in at all.

    In Entra `auth_time` is an optional claim.
    """
    try:
        return authentication_time(claims, latest=latest) or 0
    except TokenRejected:
        return 0


class Open:
    """Stands for the policy of a route that anybody may call."""


OPEN: Final = Open()


@dataclass(frozen=True, slots=True)
class Route(routes.Route):
    """One row of the resource API's routes; `operation` is what the API's description says of it."""

    policy: ScopePolicy | Open
    operation: Operation


class Gatekeeper:
    """Notes on a request who calls, or refuses it; `now` is the wall clock.

    `rules` say whose tokens for which audience and of which clients, one for each kind of token.
    `longest_token` is how many characters a token may have; `now` is the wall clock, `monotonic` counts bad tokens.
    """

    def __init__(
        self,
        verifier: JwtVerifier,
        discovery: Discovery,
        rules: tuple[ClaimRules, ...],
        *,
        longest_token: int = LONGEST_TOKEN,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier = verifier
        self._discovery = discovery
        self._rules = rules
        self._longest = longest_token
        self._now = now
        self._bad_tokens = BadTokens(now=monotonic)

    async def admit(self, request: web.Request, policy: ScopePolicy) -> None:
        """Note who calls, as CALLER.

        Raises InvalidToken, MisplacedToken, TooManyRequests instead of InvalidToken where there were too many of them,
        AuthorityUnavailable, Misconfigured, and what `policy.check` raises. A token that only the time speaks against
        is never one too many: whoever has it is helped by being told.
        Not checked here: whether the person still exists, or is blocked since the token was issued. Entra
        checks that at the on-behalf-of exchange.
        """
        try:
            token = bearer_token(request, longest=self._longest)
        except errors.InvalidToken as error:
            if error.sent:
                self._bad_tokens.count(request)
            raise
        try:
            verified = await self._verifier.verify_by_type(token, *self._rules)
        except TokenRejected as rejection:
            if not rejection.is_of_the_clock:
                self._bad_tokens.count(request)
            raise errors.InvalidToken(str(rejection)) from rejection
        request[KNOWN] = True
        # Also where the policy refuses them it is known who it was.
        request[CALLER] = caller = caller_of(verified, token)
        policy.check(caller.scopes, verified.claims, self._now())

    async def complete(self, error: errors.InsufficientClaims) -> None:
        """Name the authority in a challenge, if it is known; the challenge is good without."""
        metadata = await self._discovery.metadata_if_known()
        error.name_authority(metadata.authorization_endpoint if metadata else None, self._rules[0].audience)


GATEKEEPER: Final = web.AppKey("gatekeeper", Gatekeeper)


def bearer_token(request: web.Request, *, longest: int) -> str:
    """Return the token of the one Authorization header; the scheme's case does not matter.

    `longest` is how many characters it may have.
    Raises InvalidToken, or MisplacedToken for one in more than one place.
    """
    headers = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(headers) > 1 or (headers and "access_token" in request.query):
        raise errors.MisplacedToken
    if not headers:
        raise errors.InvalidToken("no Authorization header", sent=False)
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise errors.InvalidToken("another scheme than Bearer", sent=False)
    token = token.strip(" ")
    if len(token) > longest or not _is_token(token):
        raise errors.InvalidToken("not a token")
    return token


def _is_token(text: str) -> bool:
    """Tell whether a text is a `b64token`, in a quarter of the time that a regular expression takes."""
    begins = text.rstrip("=")
    return bool(begins) and begins.isascii() and not begins.encode().translate(None, _OF_TOKENS)


def guarded(handler: Handler, policy: ScopePolicy) -> Handler:
    """Return a handler that only those requests reach whose token meets the policy."""

    async def answer(request: web.Request) -> web.StreamResponse:
        gatekeeper = request.app[GATEKEEPER]
        try:
            await gatekeeper.admit(request, policy)
            return await handler(request)
        except errors.InsufficientClaims as error:
            await gatekeeper.complete(error)
            raise

    return answer


def _words(value: object) -> list[str]:
    """Return `acrs`, a list in Entra's tokens, one word elsewhere."""
    if isinstance(value, str):
        return value.split(" ")
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
