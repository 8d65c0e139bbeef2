"""The authorization response: what the authority sends through the browser (RFC 6749, section 4.1.2).

Owns reading it, whose answer it is, and what a refusal means.
Never looks at the flow that it belongs to, and never redeems a code.
"""

import hmac
import re
from typing import Final

from aiohttp import hdrs, web

from gateway import errors
from gateway.edge.forms import read_form
from servicekit.discovery import AuthorityMetadata
from servicekit.errors import AccessBlocked, AuthorityUnavailable, BodyTooLarge, Misconfigured
from servicekit.problems import ProblemError
from servicekit.refusals import RefusalKind, refusal_of

# What an authorization response may hold (RFC 6749, 4.1.2; RFC 9207; Entra); anything twice is refused.
_READ: Final = frozenset(
    {
        *("code", "state", "iss", "session_state", "client_info"),
        *("error", "error_description", "error_subcode", "error_uri"),
    }
)
# RFC 6749 knows `access_denied` alone; Apple says `user_cancelled_authorize`, LinkedIn `user_cancelled_login`, others
# `user_cancelled`, `login_canceled`, `consent_declined`, `user_denied`.
_CANCELLED: Final = re.compile(r"access_denied|\w*(cancell?ed|declined|user_denied)\w*", re.ASCII)
_CODE: Final = re.compile(r"\bAAD(?:STS|B2C)\d{4,7}\b")
# Consent was declined; Cancel was pressed at a page of Azure AD B2C.
_DECLINED: Final = frozenset({"AADSTS65004", "AADB2C90091"})
# Not assigned to the application; account locked, disabled, or of elsewhere; Conditional Access; cross-tenant access.
_POLICY: Final = frozenset(
    f"AADSTS{number}"
    for number in (
        *(50105, 50020, 50053, 50057, 50177),
        *(50131, 53000, 53001, 53002, 53003, 53004, 53009, 53011, 530032, 530034, 530035),
        *(500211, 500212, 500213),
    )
)


async def read_response(request: web.Request) -> dict[str, str]:
    """Return the authorization response's parameters; raises SignInFailed unless each is there at most once."""
    if request.method == hdrs.METH_POST:
        pairs = await _read_form(request) if not request.query_string else None
    else:
        pairs = list(request.query.items())
    answer: dict[str, str] = {}
    for name, value in pairs or []:
        if name not in _READ:
            continue
        if name in answer:
            raise errors.SignInFailed(log_detail=f"the answer holds {name} twice")
        answer[name] = value
    if not answer.get("state") or ("code" in answer) == ("error" in answer):
        raise errors.SignInFailed(log_detail="the answer holds no state, or not one of code and error")
    return answer


async def _read_form(request: web.Request) -> list[tuple[str, str]] | None:
    """Return the form's fields, with a length or in chunks (RFC 9112, section 7.1): proxies change one to the other."""
    try:
        return await read_form(request)
    except BodyTooLarge as error:
        raise errors.SignInFailed(log_detail="the answer is larger than any") from error


def check_issuer(metadata: AuthorityMetadata, named: str | None) -> None:
    """Raise SignInFailed on an answer of another authority (RFC 9207, section 2.4).

    Entra neither promises nor sends `iss`, so without the promise an answer may leave it out.
    """
    if named is None and metadata.promises_issuer:
        raise errors.SignInFailed(log_detail="the answer names no issuer, which the authority promised")
    if named is not None and not hmac.compare_digest(
        named.encode(errors="surrogatepass"), metadata.issuer.encode()
    ):
        raise errors.SignInFailed(log_detail="the answer names another issuer")


def refused(error: str, description: str = "", subcode: str = "", *, stepping_up: bool) -> ProblemError:
    """Return what the authority's refusal means (RFC 6749, section 4.1.2.1); its description stays unsaid.

    Of that the code alone is read, if it begins with one of Microsoft's: an authorization response has no other place
    for it, and `access_denied` is said of whoever cancels and of whom a policy keeps out alike
    (docs/explanation/decisions/2026-11-26-who-cancelled.md).
    """
    refusal = refusal_of({"error": error})
    found = _CODE.search(description)
    code = found[0] if found else ""
    cause = f"{refusal} {code}".rstrip()
    if code in _POLICY:
        return AccessBlocked(log_detail=cause)
    if code in _DECLINED or subcode == "cancel" or _CANCELLED.fullmatch(error):
        cancelled = errors.StepUpCancelled if stepping_up else errors.SignInCancelled
        return cancelled(log_detail=cause)
    if refusal is None or refusal.kind in {RefusalKind.INTERACTION, RefusalKind.GRANT_DEAD}:
        return errors.SignInFailed(log_detail=cause)
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(cause)
    return Misconfigured(log_detail=f"the authority refuses our authorization request: {cause}")
