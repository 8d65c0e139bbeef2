"""The authorization response: what the authority sends through the browser (RFC 6749, section 4.1.2).

Owns reading it, whose answer it is, and what a refusal means.
Never looks at the flow that it belongs to, and never redeems a code.
"""

import hmac
from typing import Final

from aiohttp import hdrs, web

from gateway import errors
from gateway.edge.forms import read_form
from servicekit.discovery import AuthorityMetadata
from servicekit.errors import AuthorityUnavailable, BodyTooLarge, Misconfigured
from servicekit.problems import ProblemError
from servicekit.refusals import RefusalKind, refusal_of

# What an authorization response may hold (RFC 6749, 4.1.2; RFC 9207; Entra); anything twice is refused.
_READ: Final = frozenset(
    {"code", "state", "error", "iss", "session_state", "client_info", "error_description", "error_uri"}
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
    if named is not None and not hmac.compare_digest(named.encode(), metadata.issuer.encode()):
        raise errors.SignInFailed(log_detail="the answer names another issuer")


def refused(error: str, *, stepping_up: bool) -> ProblemError:
    """Return what the authority's refusal means; its description is foreign text and is not read."""
    refusal = refusal_of({"error": error})
    cause = str(refusal)
    if error == "access_denied":
        cancelled = errors.StepUpCancelled if stepping_up else errors.SignInCancelled
        return cancelled(log_detail=cause)
    if refusal is None or refusal.kind in {RefusalKind.INTERACTION, RefusalKind.GRANT_DEAD}:
        return errors.SignInFailed(log_detail=cause)
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(cause)
    return Misconfigured(log_detail=f"the authority refuses our authorization request: {cause}")
