"""Who may call: the bearer token, the policy of a route, and the middleware that enforces both.

Owns where a token may stand (RFC 6750, section 2.1: the header, once), what it must say for a delegated call of an
allowed client, and what each route asks beyond that: a scope, an authentication context, a recent sign-in.
Never trusts the gateway's word that somebody confirmed who they are: only the token counts.
Every route has a policy; one that has none is closed.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from resource_api import errors
from servicekit.discovery import Discovery
from servicekit.http import routes
from servicekit.jwt_verifier import ClaimRules, JwtVerifier, TokenRejected
from servicekit.operations import Operation

LONGEST_BEARER: Final = 8192


@dataclass(frozen=True, slots=True)
class Caller:
    """The person on whose behalf an allowed application calls; the token is not printed."""

    oid: str
    client: str
    expires_at: int
    token: str = field(repr=False)


CALLER: Final = web.RequestKey("caller", Caller)


@dataclass(frozen=True, slots=True)
class ScopePolicy:
    """What a route asks of a token that is good by itself.

    `scope` must be a whole word of `scp`. `acrs` names an authentication context that must be proven, and
    `max_age_seconds` how long ago the person may have signed in; both are off where None.
    """

    scope: str
    acrs: str | None = None
    max_age_seconds: int | None = None

    def check(self, claims: Mapping[str, Any], now: float) -> None:
        """Raise InsufficientScope, InsufficientClaims or InsufficientUserAuthentication."""
        if self.scope not in claims["scp"].split(" "):
            raise errors.InsufficientScope(self.scope)
        if self.acrs is not None and self.acrs not in _words(claims.get("acrs")):
            demand = {"access_token": {"acrs": {"essential": True, "value": self.acrs}}}
            raise errors.InsufficientClaims(json.dumps(demand, separators=(",", ":")), cause="no such acrs")
        # A token without auth_time proves no sign-in at all; it is an optional claim in Entra.
        if self.max_age_seconds is not None and claims.get("auth_time", 0) < now - self.max_age_seconds:
            raise errors.InsufficientUserAuthentication(max_age=self.max_age_seconds, acr_values=self.acrs)


class Open:
    """Stands for the policy of a route that anybody may call."""


OPEN: Final = Open()


@dataclass(frozen=True, slots=True)
class Route(routes.Route):
    """One row of the resource API's routes; `operation` is what the API's description says of it."""

    policy: ScopePolicy | Open
    operation: Operation


class Gatekeeper:
    """Turns a request into a Caller, or refuses it; `now` is the wall clock.

    `rules` say whose tokens for which audience; `allowed_clients` are the client ids that may call.
    """

    def __init__(
        self,
        verifier: JwtVerifier,
        discovery: Discovery,
        rules: ClaimRules,
        allowed_clients: frozenset[str],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._verifier = verifier
        self._discovery = discovery
        self._rules = rules
        self._clients = allowed_clients
        self._now = now

    async def admit(self, request: web.Request, policy: ScopePolicy) -> Caller:
        """Return who calls.

        Raises InvalidToken, MisplacedToken, AuthorityUnavailable, and what `policy.check` raises.
        Not checked here: whether the person still exists, or is blocked since the token was issued. Entra
        checks that at the on-behalf-of exchange.
        """
        token = bearer_token(request)
        try:
            claims = await self._verifier.verify(token, self._rules)
        except TokenRejected as rejection:
            raise errors.InvalidToken(str(rejection)) from rejection
        # An application on its own has `idtyp` app, or roles and no `scp`; an ID token has neither.
        if claims.get("idtyp", "user") != "user" or "scp" not in claims:
            raise errors.InvalidToken("not a delegated access token")
        if claims["azp"].lower() not in self._clients:
            raise errors.InvalidToken("a client that is not allowed")
        policy.check(claims, self._now())
        return Caller(claims["oid"], claims["azp"], claims["exp"], token)

    async def complete(self, error: errors.InsufficientClaims) -> None:
        """Name the authority in a challenge, if it is known; the challenge is good without."""
        metadata = await self._discovery.metadata_if_known()
        error.name_authority(metadata.authorization_endpoint if metadata else None, self._rules.audience)


GATEKEEPER: Final = web.AppKey("gatekeeper", Gatekeeper)


def bearer_token(request: web.Request) -> str:
    """Return the token of the one Authorization header; the scheme's case does not matter.

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
    if len(token) > LONGEST_BEARER or not re.fullmatch(r"[A-Za-z0-9\-._~+/]+=*", token):
        raise errors.InvalidToken("not a token")
    return token


def access_middleware(rows: routes.RouteTable[Route]) -> Middleware:
    """Return the middleware that lets a request through to its handler if the route's policy is met."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            return await handler(request)  # 404 and 405 have no route
        row = rows.row_of(request)
        if row is None:
            raise LookupError("a route without a policy")
        if isinstance(row.policy, Open):
            return await handler(request)
        gatekeeper = request.app[GATEKEEPER]
        try:
            request[CALLER] = await gatekeeper.admit(request, row.policy)
            return await handler(request)
        except errors.InsufficientClaims as error:
            await gatekeeper.complete(error)
            raise

    return middleware


def _words(value: object) -> list[str]:
    """Return `acrs`, a list in Entra's tokens, one word elsewhere."""
    if isinstance(value, str):
        return value.split(" ")
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
