"""The forms that a claim may have, and reading it in its form: text, a name, a point in time, the audiences.

Owns what is missing (also null) and what has another form, by RFC 7519; each function raises TokenRejected then
(claim-missing, claim-invalid), with the claim's name.
Never compares a claim with anything: the checks do (`jwt_claims.py`).
"""

from collections.abc import Mapping
from typing import Any, Final

from servicekit.jwt_form import CLAIM_INVALID, CLAIM_MISSING, TokenRejected

Claims = Mapping[str, Any]

_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999


def text_of(claims: Claims, name: str) -> str:
    """Return a claim that is compared, perhaps an empty one."""
    value = claims.get(name)
    if value is None:
        raise TokenRejected(CLAIM_MISSING, name)
    if not isinstance(value, str):
        raise TokenRejected(CLAIM_INVALID, name)
    return value


def name_of(claims: Claims, name: str) -> str:
    """Return a claim that somebody looks up by."""
    value = text_of(claims, name)
    if not value:
        raise TokenRejected(CLAIM_INVALID, name)
    return value


def audiences_of(claims: Claims) -> list[str]:
    """Return whom a token is for: one text, or a list of them (RFC 7519, section 4.1.3)."""
    value = claims.get("aud")
    if value is None:
        raise TokenRejected(CLAIM_MISSING, "aud")
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise TokenRejected(CLAIM_INVALID, "aud")
    return named


def time_of(claims: Claims, name: str) -> float:
    """Return a NumericDate, which may have a fraction (RFC 7519, section 2)."""
    value = claims.get(name)
    if value is None:
        raise TokenRejected(CLAIM_MISSING, name)
    # bool is an int to Python; a time of before 1970 or after the year 9999 is no time at which a token was made.
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LAST_SECOND:
        raise TokenRejected(CLAIM_INVALID, name)
    return value
