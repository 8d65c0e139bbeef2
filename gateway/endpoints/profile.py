"""`/api/profile`: the person's own profile, read and changed.

Owns the form of the idempotency key.
Never fails by itself: what goes wrong is raised below and drawn above.
"""

import re
from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import EDITS, SESSIONS
from gateway.edge.guard import Policy, Route
from gateway.profile.fields import answer, if_match, read_changes
from servicekit.errors import BadRequest

_KEY_FORM: Final = re.compile(r"[\x21-\x7e]{1,255}")


async def get_profile(request: web.Request) -> web.Response:
    """Answer with the profile and its entity tag."""
    live = await request.app[SESSIONS].require(request)
    return answer(await request.app[EDITS].profile(live))


async def patch_profile(request: web.Request) -> web.Response:
    """Apply a merge patch (RFC 7396) to the profile and answer with what it now is."""
    live = await request.app[SESSIONS].require(request)
    changes = await read_changes(request)
    condition, key = if_match(request), _idempotency_key(request)
    return answer(await request.app[EDITS].save(live, changes, condition=condition, key=key))


def _idempotency_key(request: web.Request) -> str | None:
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return None
    # Twice: whatever stands in front of us may have read the other one.
    if len(keys) > 1 or not _KEY_FORM.fullmatch(keys[0]):
        raise BadRequest("Idempotency-Key must be there once, with 1 to 255 printable ASCII characters.")
    return keys[0]


ROUTES: Final = (
    Route(hdrs.METH_GET, "/api/profile", get_profile, Policy.JSON),
    Route(hdrs.METH_PATCH, "/api/profile", patch_profile, Policy.JSON),
)
