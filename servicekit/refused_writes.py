"""Which answers to a write are evidence that nothing was written.

Owns the one rule for both services: the server refused before doing anything, or nobody knows.
Never looks at what the answer says: whoever knows the server that wrote it may know more.

Sources: RFC 9110, section 15: a client error (4xx) says that the request itself is at fault. A server error (5xx) may
come after the work, also from a proxy in between that lost the answer or its patience, and a redirection (3xx) from
whoever has done it, as 303 does on purpose (15.4.4).
"""

from typing import Final

_REFUSALS: Final = range(400, 500)
# Written by proxies, too, that lost the server (408), or by a server whose client left while it worked (nginx's 499).
_TELLING_NOTHING: Final = frozenset({408, 499})


def refuses_before_doing(status: int) -> bool:
    """Tell whether an answer with this status is evidence that a write was not done."""
    return status in _REFUSALS and status not in _TELLING_NOTHING
