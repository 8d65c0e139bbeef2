"""What a refusal of the token endpoint means: one table, read by everyone who asks for tokens.

Owns the reading of OAuth error answers (RFC 6749, section 5.2; Entra's `suberror`, `claims` and `error_codes`).
Never branches on an AADSTS number or on text: Microsoft warns that both change; numbers go to the log.
Never decides what a service does about it.
"""

import enum
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
}

_BY_ERROR: Final = {
    "interaction_required": RefusalKind.INTERACTION,
    "login_required": RefusalKind.INTERACTION,
    "consent_required": RefusalKind.MISCONFIGURED,
    "invalid_grant": RefusalKind.GRANT_DEAD,
    "access_denied": RefusalKind.BLOCKED,
    "temporarily_unavailable": RefusalKind.UNAVAILABLE,
    "server_error": RefusalKind.UNAVAILABLE,
}


def refusal_of(answer: Mapping[str, Any] | None) -> Refusal | None:
    """Judge what MSAL returned: None when it holds an access token, else what the refusal means.

    MSAL answers None when it has nothing to ask with (no account, no refresh token): the grant is gone.
    Errors that are in neither table are an administrator's (invalid_client, unauthorized_client, invalid_scope,
    invalid_resource, invalid_request, unsupported_…): a redirect would only loop.
    """
    if answer is None:
        return Refusal(RefusalKind.GRANT_DEAD, "no_grant")
    if isinstance(answer.get("access_token"), str) and "error" not in answer:
        return None
    error = _word(answer.get("error")) or "no_access_token"
    suberror = _word(answer.get("suberror"))
    claims = _claims(answer.get("claims"))
    kind = _BY_ERROR.get(error, RefusalKind.MISCONFIGURED)
    if error in {"invalid_grant", "interaction_required"} and suberror in _BY_SUBERROR:
        kind = _BY_SUBERROR[suberror]
    elif claims and kind is RefusalKind.GRANT_DEAD:
        # Claims are a demand that the person can meet, whatever the error is called.
        kind = RefusalKind.INTERACTION
    codes = answer.get("error_codes")
    return Refusal(kind, error, suberror, claims, _numbers(codes))


def _claims(value: object) -> str | None:
    """Return claims as the next request can carry them: in a header and in an address, so JSON and not too long."""
    if not isinstance(value, str) or len(value) > _LONGEST_CLAIMS:
        return None
    try:
        return value if isinstance(load_strict_json(value.encode()), dict) else None
    except ValueError:  # no JSON, or half of a surrogate pair
        return None


def _word(value: object) -> str:
    """Return a short protocol word, or nothing: answers are foreign input and end up in logs."""
    return value if isinstance(value, str) and value.replace("_", "").isalnum() and len(value) <= 60 else ""  # noqa: PLR2004 - longer than any registered error code


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(code for code in value if isinstance(code, int))[:5] if isinstance(value, list) else ()
