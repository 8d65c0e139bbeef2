"""The head of a request: how much of it is read, and what is said of more.

Owns the limits, and the judgement by them. The server reads a multiple of them (`quiet_server.py`), so that
what is too much can be refused by an answer that its reader understands.
Never looks at what a field says.

16 KiB is what other servers read as well (Node.js 16, nginx 32, Apache 8 for each field): the cookies of siblings, and
of other ports of `localhost`, travel with ours.
"""

from itertools import chain
from typing import Final

from aiohttp import web

from servicekit.errors import RequestHeaderFieldsTooLarge, UriTooLong

LARGEST_HEAD: Final = 16_384
"""Bytes of all header fields together."""
LONGEST_TARGET: Final = 8_190
"""Bytes of the request target: path and query."""
# ": " and the end of the line.
_AROUND: Final = 4


def judge_head(
    request: web.BaseRequest, *, largest_head: int = LARGEST_HEAD, longest_target: int = LONGEST_TARGET
) -> None:
    """Raise UriTooLong or RequestHeaderFieldsTooLarge where there is more; both numbers are bytes."""
    fields = request.raw_headers
    if len(request.raw_path) > longest_target:
        raise UriTooLong
    if len(b"".join(chain.from_iterable(fields))) + _AROUND * len(fields) > largest_head:
        raise RequestHeaderFieldsTooLarge
