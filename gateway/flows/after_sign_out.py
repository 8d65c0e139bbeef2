"""Where a browser goes after the authority's sign-out page.

Owns the cookie that remembers it, and the hop from the gateway's first page: that one is registered at the authority to
the letter as where a browser is sent back to, and not every authority gives a `state` back.
Never leads anywhere that `return_address` would not, whatever a cookie says; holds nothing about a person.

Source: OpenID Connect RP-Initiated Logout 1.0, section 3.
"""

from dataclasses import replace
from typing import Final
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from gateway.edge.cookies import cookie_values
from gateway.edge.guard import Route
from gateway.edge.navigations import is_page_wanted
from gateway.edge.origins import ORIGINS
from gateway.flows.return_address import HOME, return_address

COOKIE: Final = "__Host-Http-signed-out"
# As long as somebody may look at the authority's page; a flow to it has as long.
SECONDS: Final = 600


def remember_address(response: web.StreamResponse, address: str) -> None:
    """Let the browser keep where it goes once the authority has sent it back."""
    # Lax: the authority sends the browser here from another site, by a navigation.
    response.set_cookie(
        COOKIE,
        quote(address, safe=""),
        max_age=SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )


def leading_on(row: Route) -> Route:
    """Return the row of the first page, which leads on whoever comes back from signing out."""
    handler = row.handler

    async def lead(request: web.Request) -> web.StreamResponse:
        address = _remembered(request)
        if address is None:
            return await handler(request)
        response = web.Response(status=303, headers={hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "no-store"})
        response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    return replace(row, handler=lead)


def _remembered(request: web.Request) -> str | None:
    values = cookie_values(request, COOKIE)
    looks_ahead = "prefetch" in request.headers.get("Sec-Purpose", "")
    if len(values) != 1 or request.method != hdrs.METH_GET or looks_ahead:
        return None
    if not is_page_wanted(request, default=True):
        return None
    address = return_address(unquote(values[0]), request.app[ORIGINS])
    return None if address == HOME else address
