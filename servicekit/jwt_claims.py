"""What the claims of a verified token must say: one list of named checks for every kind of token.

Owns the checks in the order of OpenID Connect Core, section 3.1.3.7, and behind them what Back-Channel Logout (section
2.6), RFC 9068 (section 4) and Entra's pages ask beyond that. Whoever takes a kind of token says which of them judge it.
Each check judges the claims that it uses, by what their specification allows, and nothing else: a claim that no check
of its kind reads never decides, whatever a provider puts there
(docs/explanation/decisions/2026-11-26-claims-as-specified.md).
Never sees a key, and never decides what a person may do with the token.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from servicekit.claim_forms import LONGEST_NAME, Claims, audiences_of, name_of, text_of, time_of
from servicekit.jwt_form import CLAIM_INVALID, CLAIM_MISSING, EXPIRED, NOT_YET_VALID, TokenRejected

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY_SECONDS: Final = 120
"""What both services forgive as a rule; a token that one of them takes must not be too young for the other."""
LONGEST_SID: Final = 2048
"""Back-Channel Logout sets no limit, and idpyoidc's are of some 370 characters; only a digest of one is kept."""
_LONGEST: Final = {"sub": LONGEST_NAME, "sid": LONGEST_SID}
_LONGEST_JTI: Final = 2048


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it is called, the clause that asks for it, and what raises TokenRejected where it fails."""

    name: str
    clause: str
    judge: "Callable[[Claims, ClaimRules, float], None]"


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a token must say to be believed.

    `issuer` is compared exactly; `audience` is who we are, and `trusted_audiences` who may be named beside us.
    `leeway_seconds` is how far the clocks of two machines may differ, in both directions.
    `types` are the header's `typ` values to accept, in lower case; with `typed` one of them must be there.
    `checks` are those of the token's kind. What only some of them read: `nonce`, which the flow sent (None: any),
    `tenant_id` and `version` of Entra, `clients` that may call (GUIDs in small letters), and `longest_age`, in seconds.
    """

    issuer: str
    audience: str
    checks: tuple[Check, ...]
    leeway_seconds: int = LEEWAY_SECONDS
    types: frozenset[str] = frozenset({"jwt"})
    typed: bool = False
    trusted_audiences: frozenset[str] = frozenset()
    nonce: str | None = None
    tenant_id: str | None = None
    version: str | None = None
    clients: frozenset[str] = frozenset()
    longest_age: int = 0

    def is_for(self, typ: str) -> bool:
        """Tell whether tokens of a type are judged by these rules; "" is a token that names none."""
        return typ in self.types or not (typ or self.typed)


def check_claims(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Raise TokenRejected unless `claims` obey `rules` at the time `now` (seconds since 1970)."""
    for check in rules.checks:
        check.judge(claims, rules, now)


def authentication_time(claims: Claims, *, latest: float) -> float | None:
    """Return when the person was authenticated (OpenID Connect Core, section 2), None where that is not told.

    For whoever asked for a fresh authentication (3.1.3.7, 13): nobody else reads `auth_time`.
    Raises TokenRejected for what is no time, or later than `latest`.
    """
    if claims.get("auth_time") is None:
        return None
    seconds = time_of(claims, "auth_time")
    if seconds > latest:
        raise TokenRejected(NOT_YET_VALID, "auth_time")
    return seconds


def _issuer(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if text_of(claims, "iss") != rules.issuer:
        raise TokenRejected(CLAIM_INVALID, "iss")


def _audience(claims: Claims, rules: ClaimRules, _now: float) -> None:
    named = audiences_of(claims)
    others = set(named) - {rules.audience}
    if rules.audience not in named or others - rules.trusted_audiences or len(others) + 1 != len(named):
        raise TokenRejected(CLAIM_INVALID, "aud")


def _audience_among_others(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if rules.audience not in audiences_of(claims):
        raise TokenRejected(CLAIM_INVALID, "aud")


def _authorized_party_named(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    if len(audiences_of(claims)) > 1 and claims.get("azp") is None:
        raise TokenRejected(CLAIM_MISSING, "azp")


def _authorized_party(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if claims.get("azp") not in (None, rules.audience):
        raise TokenRejected(CLAIM_INVALID, "azp")


def _expiry(claims: Claims, rules: ClaimRules, now: float) -> None:
    if time_of(claims, "exp") <= now - rules.leeway_seconds:
        raise TokenRejected(EXPIRED, "exp", seconds=now - time_of(claims, "exp"))


def _issued_at(claims: Claims, rules: ClaimRules, now: float) -> None:
    if time_of(claims, "iat") > now + rules.leeway_seconds:
        raise TokenRejected(NOT_YET_VALID, "iat", seconds=time_of(claims, "iat") - now)


def _issued_recently(claims: Claims, rules: ClaimRules, now: float) -> None:
    if time_of(claims, "iat") < now - rules.longest_age - rules.leeway_seconds:
        raise TokenRejected(EXPIRED, "iat", seconds=now - time_of(claims, "iat"))


def _not_before(claims: Claims, rules: ClaimRules, now: float) -> None:
    if claims.get("nbf") is not None and time_of(claims, "nbf") > now + rules.leeway_seconds:
        raise TokenRejected(NOT_YET_VALID, "nbf", seconds=time_of(claims, "nbf") - now)


def _nonce(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if rules.nonce is None:
        return
    if not hmac.compare_digest(text_of(claims, "nonce").encode(), rules.nonce.encode()):
        raise TokenRejected(CLAIM_INVALID, "nonce")


def _subject(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    name_of(claims, "sub")


def _tenant(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if rules.tenant_id is not None and text_of(claims, "tid") != rules.tenant_id:
        raise TokenRejected(CLAIM_INVALID, "tid")


def _version(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if rules.version is not None and text_of(claims, "ver") != rules.version:
        raise TokenRejected(CLAIM_INVALID, "ver")


def _object_id(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    name_of(claims, "oid")


def _session_or_subject(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    named = [name for name in ("sid", "sub") if claims.get(name) is not None]
    if not named:
        raise TokenRejected(CLAIM_MISSING, "sub")
    for name in named:
        name_of(claims, name, longest=_LONGEST[name])


def _logout_event(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    events = claims.get("events")
    if events is None:
        raise TokenRejected(CLAIM_MISSING, "events")
    if not (isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict)):
        raise TokenRejected(CLAIM_INVALID, "events")


def _no_nonce(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    if "nonce" in claims:
        # An ID token must not pass for a logout token.
        raise TokenRejected(CLAIM_INVALID, "nonce")


def _identifier(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    name_of(claims, "jti", longest=_LONGEST_JTI)


def _entra_client(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if name_of(claims, "azp").lower() not in rules.clients:
        raise TokenRejected(CLAIM_INVALID, "azp")


def _client(claims: Claims, rules: ClaimRules, _now: float) -> None:
    if name_of(claims, "client_id") not in rules.clients:
        raise TokenRejected(CLAIM_INVALID, "client_id")


def _entra_delegation(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    # An application on its own has `idtyp` app, or roles and no `scp`; an ID token has neither.
    if claims.get("idtyp") not in (None, "user"):
        raise TokenRejected(CLAIM_INVALID, "idtyp")
    text_of(claims, "scp")


def _delegation(claims: Claims, _rules: ClaimRules, _now: float) -> None:
    # Of an application on its own the subject is the client.
    if claims.get("sub") == claims.get("client_id"):
        raise TokenRejected(CLAIM_INVALID, "sub")
    if claims.get("scope") is not None:
        text_of(claims, "scope")


_CORE: Final = "OpenID Connect Core 1.0, section 3.1.3.7"
_LOGOUT: Final = "OpenID Connect Back-Channel Logout 1.0, section 2.6"
_ENTRA: Final = "Microsoft identity platform, ID token and access token claims reference"

CHECKS: Final = (
    Check("issuer", f"{_CORE}, 2; {_LOGOUT}, 4; RFC 9068, section 4", _issuer),
    Check("audience", f"{_CORE}, 3; {_LOGOUT}, 4", _audience),
    Check("audience among others", "RFC 9068, section 4", _audience_among_others),
    Check("authorized party named", f"{_CORE}, 4", _authorized_party_named),
    Check("authorized party", f"{_CORE}, 5", _authorized_party),
    Check("expiry", f"{_CORE}, 9; {_LOGOUT}, 4; RFC 9068, section 4", _expiry),
    Check("issued at", f"{_CORE}, 10; {_LOGOUT}, 4; RFC 9068, section 2.2", _issued_at),
    Check("issued recently", f"{_CORE}, 10", _issued_recently),
    Check("not before", "RFC 7519, section 4.1.5", _not_before),
    Check("nonce", f"{_CORE}, 11", _nonce),
    Check("subject", "OpenID Connect Core 1.0, section 2; RFC 9068, section 2.2", _subject),
    Check("session or subject", f"{_LOGOUT}, 5", _session_or_subject),
    Check("logout event", f"{_LOGOUT}, 6", _logout_event),
    Check("no nonce", f"{_LOGOUT}, 7", _no_nonce),
    Check("identifier", f"{_LOGOUT}, 8; RFC 9068, section 2.2", _identifier),
    Check("client", "RFC 9068, section 2.2", _client),
    Check("delegation", "RFC 9068, sections 2.2.3 and 5", _delegation),
    Check("tenant", _ENTRA, _tenant),
    Check("version", _ENTRA, _version),
    Check("object id", _ENTRA, _object_id),
    Check("client of Entra", _ENTRA, _entra_client),
    Check("delegation by Entra", _ENTRA, _entra_delegation),
)
"""Every check there is, in the order in which they are made."""


def checks_named(*names: str) -> tuple[Check, ...]:
    """Return the checks of these names, in the list's order; raises LookupError for a name that is not in it."""
    if unknown := set(names) - {check.name for check in CHECKS}:
        raise LookupError(f"no check is called {min(unknown)}")
    return tuple(check for check in CHECKS if check.name in names)
