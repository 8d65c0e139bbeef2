"""The kinds of access token that are read here, and what each says of the caller.

Owns which checks of `servicekit.jwt_claims` decide: for Entra's tokens those of its claims reference, for tokens of the
type `at+jwt` those of RFC 9068. Never verifies a token, and never decides what a route asks of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from resource_api.settings import Settings
from servicekit.jwt_claims import ClaimRules, checks_named
from servicekit.jwt_verifier import Verified

_AT_JWT: Final = "at+jwt"
_ENTRA_CHECKS: Final = checks_named(
    "issuer",
    "audience",
    "expiry",
    "issued at",
    "not before",
    "subject",
    "tenant",
    "version",
    "object id",
    "client of Entra",
    "delegation by Entra",
)
_RFC_9068_CHECKS: Final = checks_named(
    "issuer",
    "audience among others",
    "expiry",
    "issued at",
    "not before",
    "subject",
    "identifier",
    "client",
    "delegation",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The person on whose behalf an allowed application calls; the token is not printed.

    `oid` is what the authority calls the person: Entra's object id, elsewhere the subject. `expires_at` is in seconds
    since 1970.
    """

    oid: str
    client: str
    expires_at: float
    token: str = field(repr=False)
    scopes: frozenset[str] = frozenset()


def token_rules(settings: Settings) -> tuple[ClaimRules, ...]:
    """Return what tokens must say, a rule for each kind; the first that is for a token's type judges it.

    A tenant issues Entra's tokens and no others. An authority without a tenant id may be Entra under a name of its own,
    or any other; its tokens of the type `at+jwt` are read by RFC 9068.
    """
    who: Mapping[str, Any] = {
        "issuer": settings.issuer,
        "audience": settings.audience or settings.client_id,
        "clients": frozenset(settings.allowed_clients),
        "leeway_seconds": settings.clock_leeway_seconds,
    }
    if settings.tenant_id:
        types = frozenset({"jwt", _AT_JWT})
        entra = ClaimRules(
            checks=_ENTRA_CHECKS, types=types, tenant_id=settings.tenant_id, version="2.0", **who
        )
        return (entra,)
    return (
        ClaimRules(checks=_RFC_9068_CHECKS, types=frozenset({_AT_JWT}), typed=True, **who),
        ClaimRules(checks=_ENTRA_CHECKS, **who),
    )


def caller_of(verified: Verified, token: str) -> Caller:
    """Return who calls, by the claims that the token's kind has for it.

    Without `scope` a token of RFC 9068 allows nothing that needs one (section 2.2.3).
    """
    claims = verified.claims
    if verified.rules.checks is _ENTRA_CHECKS:
        person, client, scopes = claims["oid"], claims["azp"], claims["scp"]
    else:
        person, client, scopes = claims["sub"], claims["client_id"], claims.get("scope") or ""
    return Caller(person, client, claims["exp"], token, frozenset(scopes.split(" ")))
