"""Edits of the profile that step-up interrupted: what of a parked request is theirs.

Owns how an edit is written as a request, and what of its `If-Match` is worth keeping.
Never applies one; `gateway/proxy/parked_requests.py` keeps them.
"""

import json
import re
from typing import Final

from aiohttp import hdrs

from gateway.profile.fields import Changes
from gateway.proxy.parked_form import PROFILE, ParkedRequest

_MOST_TAGS: Final = 16
_OUR_TAG: Final = re.compile(r'(?<!W/)"[0-9a-f]{32}"')


def as_request(changes: Changes, condition: str | None) -> ParkedRequest:
    """Return an edit as it waits; `condition` is its `If-Match`, if it had one."""
    headers = [(hdrs.CONTENT_TYPE, "application/merge-patch+json")]
    if (kept := _shortened(condition)) is not None:
        headers.append((hdrs.IF_MATCH, kept))
    body = json.dumps(changes).encode()
    return ParkedRequest(PROFILE, hdrs.METH_PATCH, "/api/profile", tuple(headers), body)


def changes_of(parked: ParkedRequest) -> Changes:
    """Return what a parked edit changes."""
    changes: Changes = json.loads(parked.body)
    return changes


def _shortened(condition: str | None) -> str | None:
    """Return what of an `If-Match` can match a profile: our own tags, of which nobody has seen many."""
    if condition is None or condition == "*":
        return condition
    return ", ".join(_OUR_TAG.findall(condition)[:_MOST_TAGS]) or '""'
