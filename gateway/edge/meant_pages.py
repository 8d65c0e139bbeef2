"""Addresses that people type, and what they mean by them.

Owns the list, and leading there. Never guesses: what is neither a page in another spelling nor listed does not exist.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.edge.guard import RequestKind, Route

# What a browser would have encoded, and aiohttp's parser in Python lets through.
_NOT_WRITTEN: Final = re.compile(r"[^!-~]+")
# W3C, A Well-Known URL for Changing Passwords.
_CHANGE_PASSWORD: Final = "/.well-known/change-password"  # noqa: S105 - an address
# Signing out by an address that any page could name would be anybody's to do; the button is on the first page.
_MEANT: Final = {
    **dict.fromkeys(("/profile", "/me", "/account", "/home", "/settings"), "/"),
    **dict.fromkeys(("/logout", "/log-out", "/signout", "/sign-out"), "/"),
    **dict.fromkeys(("/login", "/log-in", "/signin", "/sign-in"), "/auth/sign-in"),
    **dict.fromkeys(("/register", "/signup", "/sign-up"), "/auth/sign-up"),
    **dict.fromkeys(("/profile/edit", "/edit-profile"), "/edit"),
    **dict.fromkeys(("/devices", "/security"), "/sessions"),
}


def meant_page(path: str, pages: Collection[str]) -> str | None:
    """Return the address that is meant by a path, where it is none of `pages` itself; None where nothing is known."""
    bare = path.lower().rstrip("/") or "/"
    meant = bare if bare in pages else _MEANT.get(bare)
    return meant if meant != path else None


def meant_rows(pages: Collection[str], change_password_url: str | None) -> Iterator[Route]:
    """Yield a row for each; a password is changed at `change_password_url`, or from the first page on."""
    for path in (*pages, *_MEANT):
        for spelled in (path, f"{path}/"):
            if path != "/" and (page := meant_page(spelled, pages)):
                yield _row(spelled, page)
    yield change_password_row(change_password_url or "/")


def change_password_row(url: str) -> Route:
    """Return the row by which password managers find where a password is changed."""
    return _row(_CHANGE_PASSWORD, url)


def lead_to(request: web.Request, address: str) -> web.Response:
    """Return the answer that leads to an address, with the request's query as it was sent.

    Not as it is read: what is encoded there may be the end of a line, and of a header.
    """
    raw = request.rel_url.raw_query_string
    query = f"?{_NOT_WRITTEN.sub(_encoded, raw)}" if raw else ""
    return web.Response(status=302, headers={hdrs.LOCATION: address + query, hdrs.CACHE_CONTROL: "no-cache"})


def _encoded(sign: re.Match[str]) -> str:
    return quote(sign[0].encode(errors="surrogateescape"))


def _row(path: str, address: str) -> Route:
    return Route(hdrs.METH_GET, path, _leading_to(address), RequestKind.PUBLIC)


def _leading_to(address: str) -> Handler:
    async def lead(request: web.Request) -> web.Response:
        return lead_to(request, address)

    return lead
