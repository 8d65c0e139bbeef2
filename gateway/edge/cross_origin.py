"""What pages of other front ends may read: the cross-origin headers of our answers, and the answers to preflights.

Owns the protocol of CORS, for the origins that an operator named and for nobody else: where none is named, nothing of
this is in the application at all.
Never lets a request through: the guard judges each of them, whatever a preflight said.

Source: Fetch Standard, sections 3.3 and 4.8; Private Network Access, section 3.1.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict

from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route
from gateway.edge.origins import OurOrigins
from servicekit.http.answers import Answer
from servicekit.http.every_answer import Completion

# Two hours: as long as Chromium remembers an answer. A front end that is not named any more is refused all the same.
PREFLIGHT_SECONDS: Final = 7200
_PRIVATE_NETWORK: Final = "Access-Control-Request-Private-Network"
_PRIVATE_NETWORK_ALLOWED: Final = "Access-Control-Allow-Private-Network"
_FETCHED: Final = frozenset({RequestKind.JSON, RequestKind.EVENTS, RequestKind.PUBLIC})
_REQUEST_HEADERS: Final = (
    "X-CSRF",
    "Content-Type",
    "Accept",
    "Accept-Language",
    "Cache-Control",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
    "Range",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "traceparent",
    "tracestate",
)
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
# Always named, whether or not an answer has them; what else one has is named beside them.
_EXPOSED: Final = ("Date", "ETag", "Location", "Retry-After", "client-request-id")
# Readable anyhow (Fetch, section 2.2.2), for the browser alone, or of one connection.
_NOT_EXPOSED: Final = frozenset(
    {
        *(
            "cache-control",
            "content-language",
            "content-length",
            "content-type",
            "expires",
            "last-modified",
            "pragma",
        ),
        *("set-cookie", "vary", "connection", "keep-alive", "transfer-encoding", "clear-site-data", "server"),
        *("content-security-policy", "cross-origin-opener-policy", "cross-origin-embedder-policy"),
        *("cross-origin-resource-policy", "referrer-policy", "x-content-type-options", "x-frame-options"),
        *("permissions-policy", "strict-transport-security"),
    }
)


def cross_origin_headers(origins: OurOrigins) -> Completion:
    """Return what lets pages of the named origins read an answer, the router's 404 included.

    It comes last, as it names the headers that are there.
    """

    def complete(request: web.Request, headers: CIMultiDict[str]) -> None:
        # Whoever asks: a cache must not give one origin's answer to another.
        vary = headers.get(hdrs.VARY, "")
        if "*" not in vary:
            headers[hdrs.VARY] = f"{vary}, {hdrs.ORIGIN}" if vary else hdrs.ORIGIN
        origin = origins.other_of(request)
        if origin is None:
            return
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ", ".join(_exposed(headers))

    return complete


def _exposed(headers: Iterable[str]) -> list[str]:
    """Return the names of what a page may read beside what any page may."""
    own = {name.lower() for name in _EXPOSED}
    others = {name.lower(): name for name in headers if name.lower() not in _NOT_EXPOSED | own}
    return [*_EXPOSED, *(name for key, name in others.items() if not key.startswith("access-control-"))]


async def preflight_answer(request: web.Request, origins: OurOrigins) -> web.Response | None:
    """Return the answer to a preflight of a named origin, which is given before anything is read.

    None for other requests, and strangers' preflights: they go on to the router, which knows no such method.
    """
    wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
    if request.method != hdrs.METH_OPTIONS or wanted is None or origins.other_of(request) is None:
        return None
    rows = await _rows_at(request, wanted)
    fetched = {method: row for method, row in rows.items() if row.kind in _FETCHED}
    if rows and not fetched:
        return None  # a navigation's address: its 405 says what it takes
    return _granted(request, fetched)


async def _rows_at(request: web.Request, wanted: str) -> dict[str, Route]:
    """Return the rows of the address by their methods."""
    rows = {}
    for method in sorted({*_METHODS, wanted}):
        match = await request.app.router.resolve(request.clone(method=method))
        if row := request.app[ROUTE_TABLE].row_at(match.route):
            rows[method] = row
    return rows


def _granted(request: web.Request, rows: Mapping[str, Route]) -> web.Response:
    own = (
        parameter.name
        for row in rows.values()
        if row.operation
        for parameter in row.operation.parameters
        if parameter.place == "header"
    )
    headers: dict[str, str] = {
        # Of an address that does not exist too: so that a page learns that, and not only that something was refused.
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(rows or _METHODS),
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(dict.fromkeys((*_REQUEST_HEADERS, *own))),
        hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_SECONDS),
        hdrs.VARY: f"{hdrs.ACCESS_CONTROL_REQUEST_METHOD}, {hdrs.ACCESS_CONTROL_REQUEST_HEADERS}",
    }
    if request.headers.get(_PRIVATE_NETWORK) == "true":
        headers[_PRIVATE_NETWORK_ALLOWED] = "true"
    return Answer(status=204, headers=headers)
