"""What every request and answer of the authority have in common: fields, ids for support, headers.

Nothing of any endpoint.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from local_tenant.ids import Ids
from local_tenant.refusals import refusal

SSO_COOKIE: Final = "stand_in_sso"
_SERVER: Final = "2.1.00000.0 - LOCAL ProdSlices"


async def fields_of(request: web.Request) -> dict[str, str]:
    """Return what was sent, by query or, with POST, by form; of a repeated name the last.

    Files are left out. Raises refusal 9002313 for a form that isn't text.
    """
    try:
        sent = await request.post() if request.method == "POST" else request.query
    except (ValueError, LookupError):  # not in the encoding that it names, or in one that there isn't
        raise refusal(9002313) from None
    return {name: value for name, value in sent.items() if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class SupportIds:
    """The ids that people quote to support."""

    trace_id: str
    correlation_id: str

    @classmethod
    def of(cls, request: web.Request, ids: Ids) -> "SupportIds":
        """Return a new trace id, and the caller's own correlation id if it sent one."""
        return cls(ids.guid(), request.headers.get("client-request-id") or ids.guid())

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
