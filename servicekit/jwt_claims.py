"""What the claims of a verified token must say.

Owns ClaimRules and the checks that need nothing but the claims, the rules and the time.
Never sees a key, and never decides what a person may do with the token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from servicekit.jwt_form import CLAIM_INVALID, CLAIM_MISSING, EXPIRED, NOT_YET_VALID, TokenRejected

ALWAYS_REQUIRED: Final = frozenset({"iss", "aud", "exp", "iat"})

# Claims that somebody compares or looks up by: a list or a number in their place is an attack or a fault.
_TEXT: Final = frozenset(
    {"iss", "sub", "oid", "tid", "ver", "azp", "appid", "scp", "idtyp", "sid", "nonce", "jti"}
)
_TIMES: Final = frozenset({"exp", "iat", "nbf", "auth_time"})
_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a token must say to be believed.

    `issuer`, `audience`, and where given `tenant_id` (`tid`) and `version` (`ver`) are compared exactly.
    `required` names claims that must be present and not null, on top of iss, aud, exp and iat.
    `types` are the header's `typ` values to accept, in lower case.
    `leeway_seconds` is how far the clocks of two machines may differ, in both directions.
    """

    issuer: str
    audience: str
    leeway_seconds: int = 60
    required: frozenset[str] = ALWAYS_REQUIRED
    tenant_id: str | None = None
    version: str | None = None
    types: frozenset[str] = frozenset({"jwt"})


def check_claims(claims: Mapping[str, Any], rules: ClaimRules, now: float) -> None:
    """Raise TokenRejected unless `claims` obey `rules` at the time `now` (seconds since 1970)."""
    expected = {"iss": rules.issuer, "tid": rules.tenant_id, "ver": rules.version}
    named = {name for name, value in expected.items() if value is not None}
    for name in sorted(ALWAYS_REQUIRED | rules.required | named):
        if claims.get(name) is None:
            raise TokenRejected(CLAIM_MISSING, name)
    for name in sorted(_TEXT & claims.keys()):
        if not isinstance(claims[name], str):
            raise TokenRejected(CLAIM_INVALID, name)
    for name in sorted(_TIMES & claims.keys()):
        if not _is_time(claims[name]):
            raise TokenRejected(CLAIM_INVALID, name)
    for name in sorted(named):
        if claims[name] != expected[name]:
            raise TokenRejected(CLAIM_INVALID, name)
    if claims["aud"] not in (rules.audience, [rules.audience]):
        raise TokenRejected(CLAIM_INVALID, "aud")
    _check_times(claims, rules.leeway_seconds, now)


def _check_times(claims: Mapping[str, Any], leeway: int, now: float) -> None:
    if claims["exp"] <= now - leeway:
        raise TokenRejected(EXPIRED, "exp")
    if claims["exp"] <= claims["iat"]:
        raise TokenRejected(CLAIM_INVALID, "exp")
    for name in ("iat", "nbf", "auth_time"):
        if claims.get(name, 0) > now + leeway:
            raise TokenRejected(NOT_YET_VALID, name)


def _is_time(value: object) -> bool:
    # bool is an int to Python; floats and huge numbers are legal JSON and no point in time that Entra issues.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND
