"""`/api/parked-edits/{id}`: edits that step-up interrupted, for their person to see, apply or drop.

Owns the form of their identifiers.
Never fails by itself: what goes wrong is raised below and drawn above.
"""

import re
from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import EDITS, SESSIONS
from gateway.edge.guard import Policy, Route
from gateway.errors import NotFound
from gateway.profile.fields import answer

_ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")


async def get_parked_edit(request: web.Request) -> web.Response:
    """Answer with what a parked edit will change."""
    live = await request.app[SESSIONS].require(request)
    return web.json_response(await request.app[EDITS].parked(live, _identifier(request)))


async def apply_parked_edit(request: web.Request) -> web.Response:
    """Apply a parked edit, once."""
    live = await request.app[SESSIONS].require(request)
    return answer(await request.app[EDITS].apply_parked(live, _identifier(request)))


async def drop_parked_edit(request: web.Request) -> web.Response:
    """Drop a parked edit."""
    live = await request.app[SESSIONS].require(request)
    await request.app[EDITS].drop_parked(live, _identifier(request))
    return web.Response(status=204)


def _identifier(request: web.Request) -> str:
    identifier = request.match_info["id"]
    if not _ID_FORM.fullmatch(identifier):
        raise NotFound
    return identifier


ROUTES: Final = (
    Route(hdrs.METH_GET, "/api/parked-edits/{id}", get_parked_edit, Policy.JSON),
    Route(hdrs.METH_POST, "/api/parked-edits/{id}", apply_parked_edit, Policy.JSON),
    Route(hdrs.METH_DELETE, "/api/parked-edits/{id}", drop_parked_edit, Policy.JSON),
)
