"""The head of a request: how much of it is read, and what is said of more.

Owns the limits and the middleware that keeps them. The server reads a multiple of them (`quiet_server.py`), so that
what is too much can be refused by an answer that its reader understands.
Never looks at what a field says.

16 KiB is what other servers read as well (Node.js 16, nginx 32, Apache 8 for each field): the cookies of siblings, and
of other ports of `localhost`, travel with ours.
"""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from servicekit.errors import RequestHeaderFieldsTooLarge, UriTooLong

LARGEST_HEAD: Final = 16_384
"""Bytes of all header fields together."""
LONGEST_TARGET: Final = 8_190
"""Bytes of the request target: path and query."""
# ": " and the end of the line.
_AROUND: Final = 4


def head_limits_middleware(
    *, largest_head: int = LARGEST_HEAD, longest_target: int = LONGEST_TARGET
) -> Middleware:
    """Return the middleware that raises UriTooLong or RequestHeaderFieldsTooLarge; both numbers are bytes."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if len(request.raw_path) > longest_target:
            raise UriTooLong
        if sum(len(name) + len(value) + _AROUND for name, value in request.raw_headers) > largest_head:
            raise RequestHeaderFieldsTooLarge
        return await handler(request)

    return middleware
