"""What every request and answer of the authority have in common: fields, ids for support, headers.

Nothing of any endpoint.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from multidict import MultiDict

from local_tenant.ids import Ids
from local_tenant.refusals import refusal

_SERVER: Final = "2.1.00000.0 - LOCAL ProdSlices"


_PARAMETERS: Final = frozenset(
    {
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
        *("code_challenge", "code_challenge_method", "login_hint", "max_age", "claims", "grant_type", "code"),
        *("code_verifier", "refresh_token", "client_secret", "client_assertion", "client_assertion_type"),
        *("assertion", "requested_token_use"),
    }
)
"""What the protocol knows; of anything else nothing is read, so that it may be there twice."""


async def fields_of(request: web.Request) -> dict[str, str]:
    """Return what was sent, by query or, with POST, by form; of a repeated name the last, see ``repeated_field``.

    Files are left out. Raises refusal 9002313 for a form that isn't text.
    """
    return dict(await _sent(request))


async def repeated_field(request: web.Request) -> str | None:
    """Return a parameter that is there more than once, which none may be (RFC 6749, 3.1 and 3.2). Raises 9002313."""
    names = [name for name, _ in await _sent(request)]
    return next((name for name in names if name in _PARAMETERS and names.count(name) > 1), None)


async def _sent(request: web.Request) -> list[tuple[str, str]]:
    # A form comes in one encoding (RFC 6749, appendix B); a body of another type is as good as none.
    is_form = request.content_type == "application/x-www-form-urlencoded"
    try:
        sent = request.query if request.method != "POST" else await request.post() if is_form else MultiDict()
    except (ValueError, LookupError):  # not in the encoding that it names, or in one that there isn't
        raise refusal(9002313) from None
    return [(name, value) for name, value in sent.items() if isinstance(value, str)]


@dataclass(frozen=True, slots=True)
class SupportIds:
    """The ids that people quote to support."""

    trace_id: str
    correlation_id: str

    @classmethod
    def of(cls, request: web.Request, ids: Ids) -> "SupportIds":
        """Return a new trace id, and the caller's own correlation id if it sent one; a browser has no header for it."""
        sent = request.headers.get("client-request-id") or request.query.get("client-request-id")
        return cls(ids.guid(), sent or ids.guid())

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer of the authority."""
        return {
            "x-ms-request-id": self.trace_id,
            "x-ms-ests-server": _SERVER,
            "X-Content-Type-Options": "nosniff",
        }


def redirect(location: str, status: int = 303) -> web.Response:
    """Return a redirect that nobody stores. A plain response: cookies can be set on it."""
    headers = {"Location": location, "Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    return web.Response(status=status, headers=headers)
