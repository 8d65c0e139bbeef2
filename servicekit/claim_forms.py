"""The forms that a claim may have, and reading it in its form: text, a name, a point in time, the audiences.

Owns what is missing (also null) and what has another form, by RFC 7519; each function raises TokenRejected then
(claim-missing, claim-invalid), with the claim's name.
Never compares a claim with anything: the checks do (`jwt_claims.py`).
"""

from collections.abc import Mapping
from typing import Any, Final

from servicekit.jwt_form import CLAIM_INVALID, CLAIM_MISSING, TokenRejected

Claims = Mapping[str, Any]

LONGEST_NAME: Final = 255
"""OpenID Connect Core, section 2, says so of `sub`."""
LONGEST_SHOWN: Final = 256
"""As Graph's `displayName`."""
_MARGIN: Final = 4
_JOINERS: Final = "\u200c\u200d"
_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999


def text_of(claims: Claims, name: str) -> str:
    """Return a claim that is compared, perhaps an empty one."""
    value = claims.get(name)
    if value is None:
        raise TokenRejected(CLAIM_MISSING, name)
    if not isinstance(value, str):
        raise TokenRejected(CLAIM_INVALID, name)
    return value


def name_of(claims: Claims, name: str, *, longest: int = LONGEST_NAME) -> str:
    """Return a claim that somebody is known or looked up by."""
    value = text_of(claims, name)
    if not is_name(value, longest=longest):
        raise TokenRejected(CLAIM_INVALID, name)
    return value


def is_name(value: str, *, longest: int = LONGEST_NAME) -> bool:
    """Tell whether a text can name somebody: not empty, not blank, not too long, and nothing in it that nobody sees.

    Two names that look the same may not be two people, so no control characters and no marks of direction or width.
    Letters of any script are taken, and so are blanks in between: OpenID Connect Core, section 2, wants ASCII in `sub`,
    but directories put their users' own names there.
    """
    return 0 < len(value) <= longest and value.isprintable() and not value.isspace()


def shown_text(value: object) -> str:
    """Return what a person is shown of a claim: without what nobody sees, and not too long; "" where it is no text.

    A name is never a reason to refuse anybody, so it is cleaned. The joiners that Persian, Hindi and families of emoji
    are written with stay; marks that turn the direction of what stands behind them go.
    """
    if not isinstance(value, str):
        return ""
    seen = "".join(
        sign if sign.isprintable() or sign in _JOINERS else " " if sign.isspace() else ""
        for sign in value[: _MARGIN * LONGEST_SHOWN]
    )
    words = filter(None, seen.split(" "))
    return " ".join(words)[:LONGEST_SHOWN].strip() if seen.strip(f" {_JOINERS}") else ""


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
