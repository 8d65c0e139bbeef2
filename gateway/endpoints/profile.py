"""`/api/profile`: the person's own profile, read and changed.

Owns the rows of these routes.
Never catches, and raises only what is wrong with the request's own form.
"""

from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field

from gateway.app_keys import EDITS, SESSIONS
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.endpoints.answers import PROFILE, PROFILE_PATCH
from gateway.endpoints.problems import OF_A_BODY, OF_A_RESOURCE
from gateway.errors import EditInProgress, IdempotencyKeyReused, InvalidProfilePatch, ProfileChanged
from gateway.profile.edits import FIELDS_TO_EDIT, FIELDS_TO_READ
from gateway.profile.fields import answer, read_changes
from gateway.profile.kept import answer_for
from gateway.proxy.repeats import KEY_FORM, idempotency_key
from servicekit.http.bodies import MERGE_PATCH
from servicekit.http.conditions import if_match
from servicekit.operations import Operation, Parameter, RequestBody, Response


async def get_profile(request: web.Request) -> web.Response:
    """Answer with the twelve members of the profile, null where not set, read from the directory."""
    live = await request.app[SESSIONS].require(request)
    return answer_for(live, await request.app[EDITS].profile(live))


async def patch_profile(request: web.Request) -> web.Response:
    """Apply a merge patch (RFC 7396): an absent field stays, null or an empty text clears it.

    When the person has to confirm who they are first, the change is parked and the answer is `step-up-required` with
    `parked_edit`.
    """
    live = await request.app[SESSIONS].require(request)
    changes = await read_changes(request)
    condition, key = if_match(request), idempotency_key(request.headers)
    return answer(await request.app[EDITS].save(live, changes, condition=condition, key=key))


ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/api/profile",
        get_profile,
        RequestKind.JSON,
        limit=Limit.READS,
        records=lambda _request: FIELDS_TO_READ,
        operation=Operation(
            "getProfile",
            "The profile",
            tag="profile",
            response=Response("The profile.", (PROFILE,), headers=("ETag",)),
            problems=OF_A_RESOURCE,
        ),
    ),
    Route(
        hdrs.METH_PATCH,
        "/api/profile",
        patch_profile,
        RequestKind.JSON,
        limit=Limit.EDITS,
        # That of an idempotency key is read with its lock.
        records=lambda _request: FIELDS_TO_EDIT,
        operation=Operation(
            "patchProfile",
            "Change the profile",
            tag="profile",
            response=Response("The profile as it now is.", (PROFILE,), headers=("ETag",)),
            problems=(
                *OF_A_RESOURCE,
                *OF_A_BODY,
                InvalidProfilePatch,
                ProfileChanged,
                EditInProgress,
                IdempotencyKeyReused,
            ),
            parameters=(
                Parameter(
                    "If-Match",
                    "header",
                    "The `ETag` of the profile that the change was made on; compared strongly. "
                    "Without it the last write wins.",
                ),
                Parameter(
                    "Idempotency-Key",
                    "header",
                    "Any text of your own, new for every change. The same key with the same body within ten minutes "
                    "of one session answers again without writing again.",
                    Annotated[str, Field(pattern=f"^{KEY_FORM.pattern}$")],
                ),
            ),
            body=RequestBody(PROFILE_PATCH, MERGE_PATCH),
        ),
    ),
)
