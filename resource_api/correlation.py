"""One id for one request, from the gateway through us to Graph, into a problem's log line and into that of an edit.

Owns the reading of `client-request-id` and what becomes of a missing or odd one.
Never trusts it for anything: it is a label.
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from servicekit.problems import REFERENCE

CORRELATION: Final = web.RequestKey("correlation", str)
HEADER: Final = "client-request-id"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def correlation_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take the caller's id if it is a UUID, or make one; it is also the reference in problems."""
    correlation = _uuid(request.headers.get(HEADER, "")) or str(uuid.uuid4())
    request[CORRELATION] = correlation
    request[REFERENCE] = correlation
    return await handler(request)


async def tell_correlation(request: web.Request, response: web.StreamResponse) -> None:
    """Send the id back; for `on_response_prepare`."""
    if CORRELATION in request:
        response.headers[HEADER] = request[CORRELATION]


def _uuid(text: str) -> str | None:
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    # UUID() also reads braces and urn: forms; only the plain spelling goes on.
    return str(value) if str(value) == text.lower() else None
