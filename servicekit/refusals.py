"""What a refusal of the token endpoint means: one table, read by everyone who asks for tokens.

Owns the reading of OAuth error answers (RFC 6749, section 5.2; Entra's `suberror`, `claims` and `error_codes`), and
whether what was granted instead is a token that we can use (section 5.1).
Never branches on text; on an AADSTS number only where it is all that speaks against a dead grant, because Microsoft
warns that numbers change (docs/explanation/decisions/2026-11-26-whatever-asks-the-person-is-step-up.md).
Never decides what a service does about it.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from servicekit.strict_json import load_strict_json

_LONGEST_CLAIMS: Final = 4096


class RefusalKind(enum.Enum):
    """What would help."""

    INTERACTION = "interaction"
    """The person must prove more, interactively: MFA, enrolment, a fresh sign-in."""
    GRANT_DEAD = "grant-dead"
    """The code, refresh token or assertion is expired, revoked, used or not ours: start over."""
    BLOCKED = "blocked"
    """Policy blocks this person; another sign-in would end the same way."""
    MISCONFIGURED = "misconfigured"
    """An administrator's fault: consent, secret, resource, scope, application."""
    UNAVAILABLE = "unavailable"
    """The authority cannot say now."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal, without its text. `claims` is the JSON that the next request must carry, or None."""

    kind: RefusalKind
    error: str
    suberror: str = ""
    claims: str | None = None
    codes: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Name what an operator can look up; claims are left out."""
        numbers = " ".join(f"AADSTS{code}" for code in self.codes)
        return " ".join(part for part in (self.error, self.suberror, numbers) if part)


_BY_SUBERROR: Final = {
    "basic_action": RefusalKind.INTERACTION,
    "additional_action": RefusalKind.INTERACTION,
    "user_password_expired": RefusalKind.INTERACTION,
    "message_only": RefusalKind.BLOCKED,
    # In an external tenant people cannot consent; only an administrator can.
    "consent_required": RefusalKind.MISCONFIGURED,
    # Google's `error_subtype`: the person has to authenticate again.
    "invalid_rapt": RefusalKind.INTERACTION,
    "rapt_required": RefusalKind.INTERACTION,
}

_BY_ERROR: Final = {
    "interaction_required": RefusalKind.INTERACTION,
    "login_required": RefusalKind.INTERACTION,
    "account_selection_required": RefusalKind.INTERACTION,
    "consent_required": RefusalKind.MISCONFIGURED,
    # OpenID Connect Core Unmet Authentication Requirements 1.0; RFC 9470; Entra's claims challenge.
    "unmet_authentication_requirements": RefusalKind.INTERACTION,
    "insufficient_user_authentication": RefusalKind.INTERACTION,
    "insufficient_claims": RefusalKind.INTERACTION,
    "password_expired": RefusalKind.INTERACTION,
    "invalid_grant": RefusalKind.GRANT_DEAD,
    # RFC 8628, and what others call a code or a refresh token that they know no more.
    "expired_token": RefusalKind.GRANT_DEAD,
    "invalid_token": RefusalKind.GRANT_DEAD,
    "token_expired": RefusalKind.GRANT_DEAD,
    "token_revoked": RefusalKind.GRANT_DEAD,
    "invalid_refresh_token": RefusalKind.GRANT_DEAD,
    "bad_refresh_token": RefusalKind.GRANT_DEAD,
    "bad_verification_code": RefusalKind.GRANT_DEAD,
    "access_denied": RefusalKind.BLOCKED,
    "temporarily_unavailable": RefusalKind.UNAVAILABLE,
    "server_error": RefusalKind.UNAVAILABLE,
    "slow_down": RefusalKind.UNAVAILABLE,
    "too_many_requests": RefusalKind.UNAVAILABLE,
    "rate_limit_exceeded": RefusalKind.UNAVAILABLE,
}

# Names that nobody registered: `mfa_required` (Auth0), `mfa_enrollment_required`, `reauthentication_required`, …
_WANTED: Final = frozenset({"required", "needed"})
_OF_THE_PERSON: Final = re.compile(
    "mfa|otp|2fa|(multi)?factor|step(up)?|(re)?auth(entication)?|(re)?login|signin|interaction|enroll?(ment)?"
    "|registration|verification|password|terms|selection"
)
_OF_OTHERS: Final = frozenset({"client", "dpop", "pkce", "proof", "mtls", "tls"})

_BY_NUMBER: Final = {
    # A second factor: required, its challenge not passed, expired, to be enrolled, another one. A fresh sign-in.
    **dict.fromkeys((50072, 50074, 50076, 50078, 50079, 50158, 50055, 50058, 16000), RefusalKind.INTERACTION),
    # Conditional Access blocks; the person is not assigned to the application.
    **dict.fromkeys((53000, 53001, 53002, 53003, 53004, 50105), RefusalKind.BLOCKED),
}

# Also the longest that is worth a header; with 200 group ids Entra's reach half of that.
_LONGEST_TOKEN: Final = 32_768
_USABLE_TOKEN: Final = re.compile(rf"[!-~]{{1,{_LONGEST_TOKEN}}}", re.ASCII)


def refusal_of(answer: Mapping[str, Any] | None) -> Refusal | None:
    """Judge what MSAL returned: None when it holds an access token to use, else what the refusal means.

    MSAL answers None when it has nothing to ask with (no account, no refresh token): the grant is gone.
    Errors that are in neither table are an administrator's (invalid_client, unauthorized_client, invalid_scope,
    invalid_resource, invalid_request, unsupported_…): a redirect would only loop. So is an answer without an error and
    without a token, and a token that no request can carry as a bearer token: RFC 6750 is all that we speak.
    """
    if answer is None:
        return Refusal(RefusalKind.GRANT_DEAD, "no_grant")
    if not answer.get("error") and ("access_token" in answer or not answer.get("errorCode")):
        return _unusable(answer)
    error = _error(answer)
    suberror = _word(answer.get("suberror")) or _word(answer.get("error_subtype"))
    claims = _claims(answer.get("claims"))
    numbers = _numbers(answer.get("error_codes"))
    return Refusal(_kind(error, suberror, claims, numbers), error, suberror, claims, numbers)


def _kind(error: str, suberror: str, claims: str | None, numbers: tuple[int, ...]) -> RefusalKind:
    kind = _BY_ERROR.get(error)
    if kind is None:
        return RefusalKind.INTERACTION if _asks_the_person(error) else RefusalKind.MISCONFIGURED
    if error in {"invalid_grant", "interaction_required"} and suberror in _BY_SUBERROR:
        return _BY_SUBERROR[suberror]
    if kind is not RefusalKind.GRANT_DEAD:
        return kind
    if claims:
        # Claims are a demand that the person can meet, whatever the error is called.
        return RefusalKind.INTERACTION
    if suberror:
        return kind
    return next((_BY_NUMBER[number] for number in numbers if number in _BY_NUMBER), kind)


def _asks_the_person(error: str) -> bool:
    words = set(error.split("_"))
    if not words & _WANTED or words & _OF_OTHERS:
        return False
    return any(_OF_THE_PERSON.fullmatch(word) for word in words)


def _unusable(answer: Mapping[str, Any]) -> Refusal | None:
    """Return why an answer that is no refusal brings nothing; its token goes into a header, so it is one word."""
    token = answer.get("access_token")
    if token is None:
        return Refusal(RefusalKind.MISCONFIGURED, "no_access_token")
    if not isinstance(token, str) or not _USABLE_TOKEN.fullmatch(token):
        return Refusal(RefusalKind.MISCONFIGURED, "unusable_access_token")
    # RFC 6749, section 5.1: required, and case-insensitive; who leaves it out means the one that everybody speaks.
    kind = answer.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return Refusal(RefusalKind.MISCONFIGURED, "unsupported_token_type")
    return None


def _error(answer: Mapping[str, Any]) -> str:
    """Return the error's name: a text; or an object with one, or another member, as those write who speak no OAuth."""
    error = answer.get("error")
    if isinstance(error, Mapping):
        error = _word(error.get("code")) or error.get("type")
    return _word(error) or _word(answer.get("errorCode")) or "no_access_token"


def _claims(value: object) -> str | None:
    """Return claims as the next request can carry them: in a header and in an address, so JSON and not too long."""
    if not isinstance(value, str) or len(value) > _LONGEST_CLAIMS:
        return None
    try:
        return value if isinstance(load_strict_json(value.encode()), dict) else None
    except ValueError:  # no JSON, or half of a surrogate pair
        return None


def _word(value: object) -> str:
    """Return a short protocol word in lower case, or nothing: answers are foreign input and end up in logs."""
    word = value.strip().replace("-", "_").lower() if isinstance(value, str) else ""
    return word if word.isascii() and word.replace("_", "").isalnum() and len(word) <= 60 else ""  # noqa: PLR2004 - longer than any registered error code


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(code for code in value if isinstance(code, int))[:5] if isinstance(value, list) else ()
