"""An edit of the profile as a request: how it waits for its person, and what it is known by when it comes again.

Owns how an edit is written, what of its `If-Match` is worth keeping, and its mark.
Never sends one; `gateway/proxy/` keeps what waits, and remembers what is done.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Final

from aiohttp import hdrs

from gateway.profile.fields import Changes
from gateway.proxy.parked_form import PROFILE, PROFILE_PATH, ParkedRequest
from gateway.proxy.repeats import RepeatedRequest
from servicekit.http.conditions import that_can_match

_NEVER: Final = '""'
"""A condition that holds for nothing: so much waits of one that names no tag of ours."""


def as_request(changes: Changes, condition: str | None) -> ParkedRequest:
    """Return an edit as it waits; `condition` is its `If-Match`, if it had one."""
    headers = [(hdrs.CONTENT_TYPE, "application/merge-patch+json")]
    if condition is not None:
        headers.append((hdrs.IF_MATCH, that_can_match(condition) or _NEVER))
    body = json.dumps(changes).encode()
    return ParkedRequest(PROFILE, hdrs.METH_PATCH, PROFILE_PATH, tuple(headers), body)


def changes_of(parked: ParkedRequest) -> Changes:
    """Return what a parked edit changes."""
    changes: Changes = json.loads(parked.body)
    return changes


def repeated_edit(
    key: str, changes: Changes, condition: str | None, *, now: Callable[[], float]
) -> RepeatedRequest:
    """Return an edit with an idempotency key; what it asks for is compared by its meaning, however it was written."""
    mark = hashlib.sha256(json.dumps([changes, condition], sort_keys=True).encode()).hexdigest()
    return RepeatedRequest(key, mark, now=now)
