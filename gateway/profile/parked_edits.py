"""Edits of the profile that step-up interrupted: what of a parked request is theirs.

Owns how an edit is written as a request, and what of its `If-Match` is worth keeping.
Never applies one; `gateway/proxy/parked_requests.py` keeps them.
"""

import json
from typing import Final

from aiohttp import hdrs

from gateway.profile.fields import Changes
from gateway.proxy.parked_form import PROFILE, ParkedRequest
from servicekit.http.conditions import that_can_match

_NEVER: Final = '""'
"""A condition that holds for nothing: so much waits of one that names no tag of ours."""


def as_request(changes: Changes, condition: str | None) -> ParkedRequest:
    """Return an edit as it waits; `condition` is its `If-Match`, if it had one."""
    headers = [(hdrs.CONTENT_TYPE, "application/merge-patch+json")]
    if condition is not None:
        headers.append((hdrs.IF_MATCH, that_can_match(condition) or _NEVER))
    body = json.dumps(changes).encode()
    return ParkedRequest(PROFILE, hdrs.METH_PATCH, "/api/profile", tuple(headers), body)


def changes_of(parked: ParkedRequest) -> Changes:
    """Return what a parked edit changes."""
    changes: Changes = json.loads(parked.body)
    return changes
