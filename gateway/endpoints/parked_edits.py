"""`/api/parked-edits/{id}`: edits that step-up interrupted, for their person to see, apply or drop.

Owns the rows of these routes; `/api/parked/{id}` finds the same edits, as it finds any request that waits.
Never catches.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import EDITS, INTERRUPTIONS, SESSIONS
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.endpoints.answers import PROFILE, Identifier, ParkedEdit
from gateway.endpoints.problems import OF_A_RESOURCE, OF_A_SESSION
from gateway.errors import EditInProgress, InvalidProfilePatch, NotFound, ProfileChanged
from gateway.profile.edits import FIELDS_TO_EDIT, FIELDS_TO_READ
from gateway.profile.fields import answer
from gateway.proxy import parked_form
from gateway.proxy.parked_requests import record_of_parked
from servicekit.http.answers import Answer
from servicekit.operations import Operation, Parameter, Response


async def get_parked_edit(request: web.Request) -> web.Response:
    """Answer with what a parked edit will change, compared with the profile as it is now."""
    live = await request.app[SESSIONS].require(request)
    return Answer.of(await request.app[EDITS].parked(live, request.match_info["id"]))


async def apply_parked_edit(request: web.Request) -> web.Response:
    """Apply a parked edit, once: a second call waits for the first and gets 404, or 409 when that takes too long.

    If the write fails and certainly saved nothing, the edit stays parked; after `profile-changed` and after an unknown
    outcome it is gone; after `step-up-required` it waits on under its id, for ten minutes from then.
    """
    live = await request.app[SESSIONS].require(request)
    return answer(await request.app[EDITS].apply_parked(live, request.match_info["id"]))


async def drop_parked_edit(request: web.Request) -> web.Response:
    """Remove a parked edit; nothing is changed."""
    live = await request.app[SESSIONS].require(request)
    await request.app[INTERRUPTIONS].drop(live, request.match_info["id"], of=parked_form.PROFILE)
    return Answer(status=204)


def _records_to_see(request: web.Request) -> Sequence[str]:
    return [*FIELDS_TO_READ, *record_of_parked(request.match_info["id"])]


_PATH: Final = "/api/parked-edits/{id}"
_ID: Final = Parameter("id", "path", shape=Identifier)

ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        _PATH,
        get_parked_edit,
        RequestKind.JSON,
        limit=Limit.READS,
        records=_records_to_see,
        operation=Operation(
            "getParkedEdit",
            "What a parked edit will change",
            tag="profile",
            response=Response("The parked edit.", (ParkedEdit,)),
            problems=(*OF_A_RESOURCE, NotFound),
            parameters=(_ID,),
        ),
    ),
    Route(
        hdrs.METH_POST,
        _PATH,
        apply_parked_edit,
        RequestKind.JSON,
        limit=Limit.EDITS,
        records=lambda _request: FIELDS_TO_EDIT,
        operation=Operation(
            "applyParkedEdit",
            "Apply a parked edit",
            tag="profile",
            response=Response("The profile as it now is.", (PROFILE,), headers=("ETag",)),
            problems=(*OF_A_RESOURCE, NotFound, EditInProgress, ProfileChanged, InvalidProfilePatch),
            parameters=(_ID,),
        ),
    ),
    Route(
        hdrs.METH_DELETE,
        _PATH,
        drop_parked_edit,
        RequestKind.JSON,
        operation=Operation(
            "dropParkedEdit",
            "Drop a parked edit",
            tag="profile",
            response=Response("Dropped.", status=204),
            problems=(*OF_A_SESSION, NotFound, EditInProgress),
            parameters=(_ID,),
        ),
    ),
)
