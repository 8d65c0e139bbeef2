"""Whether it is known who sent a request, for the log: of strangers it has some lines and counts, of others every line.

Owns where that is noted on a request, and from which network a stranger is.
Never decides who is known: whoever opens a session, takes back a flow or believes a token says so.
"""

from typing import Final

from aiohttp import web

KNOWN: Final = web.RequestKey("known", bool)
"""There and true once it is known who asks, or that they come back from where we sent them."""
NETWORK: Final = web.RequestKey("network", str)
"""The network that the client is counted by, where somebody knows it better than the connection does."""

_NOWHERE: Final = "unknown"
_TOO_MANY: Final = 429


def unknown_caller(request: web.BaseRequest, status: int) -> str | None:
    """Return the network of a request that a stranger sent; None where it is known who did.

    `status` is that of the answer. Of requests that were one too many (429) anybody is a stranger: nothing came of
    them, and one account could write as many lines as it likes.
    """
    try:  # not `get`, whose way through a Mapping is four times as long
        is_known = request[KNOWN]
    except KeyError:
        is_known = False
    if is_known and status != _TOO_MANY:
        return None
    return request.get(NETWORK) or request.remote or _NOWHERE
