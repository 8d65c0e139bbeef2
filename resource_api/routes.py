"""The routes of the resource API: each row names its policy.

Owns the table and the handlers behind it.
Never checks a token (`access.py` does) and never catches: what goes wrong is raised below and drawn above.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import hdrs, web

from resource_api import errors
from resource_api.access import CALLER, OPEN, Route, ScopePolicy
from resource_api.audit import CHANGED_FIELDS
from resource_api.editing import ProfileEditor
from resource_api.profile import EDITABLE, MEMBERS, ProfilePatch
from servicekit import errors as shared
from servicekit.http.answers import Answer
from servicekit.http.bodies import MERGE_PATCH, read_json
from servicekit.http.conditions import etag_of, if_match
from servicekit.http.life import LIFE
from servicekit.operations import NamedSchema, Operation, Parameter, RequestBody, Response
from servicekit.text_schemas import object_schema, patch_schema

EDITOR: Final = web.AppKey("editor", ProfileEditor)


DESCRIPTION: Final[web.AppKey[Callable[[], dict[str, Any]]]] = web.AppKey("description")

PROFILE: Final = object_schema("Profile", MEMBERS)
_EDITED_PROFILE: Final = NamedSchema(
    "EditedProfile",
    PROFILE.node
    | {
        "required": [*MEMBERS, "before"],
        "properties": PROFILE.node["properties"]
        | {
            "before": {
                "description": "What the changed fields were when the condition was judged.",
                "type": "object",
                "additionalProperties": {"type": ["string", "null"]},
            }
        },
    },
)
_PROFILE_PATCH: Final = patch_schema(
    "ProfilePatch", "Any of the ten fields that a person may change.", EDITABLE
)


def table(edit: ScopePolicy) -> list[Route]:
    """Return every route there is."""
    return [
        Route(
            "PATCH",
            "/profile",
            edit_profile,
            edit,
            Operation(
                "editProfile",
                "Change the caller's own profile",
                response=Response(
                    "The profile as it now is; with `If-Match` also what the changed fields were.",
                    (PROFILE, _EDITED_PROFILE),
                    headers=("ETag",),
                ),
                problems=(
                    shared.BadRequest,
                    shared.AccessBlocked,
                    shared.RequestTimedOut,
                    errors.ProfileNotFound,
                    shared.BodyTooLarge,
                    shared.UnsupportedMediaType,
                    errors.InvalidProfilePatch,
                    errors.ProfileChanged,
                    errors.InsufficientClaims,
                    errors.DirectoryUnavailable,
                    errors.ResourceBusy,
                ),
                parameters=(
                    Parameter(
                        "If-Match",
                        "header",
                        "The `ETag` of the profile that the change was made on; compared strongly. "
                        "Without it the last write wins.",
                    ),
                ),
                body=RequestBody(_PROFILE_PATCH, MERGE_PATCH),
            ),
        ),
        Route(
            "GET",
            "/health/live",
            live,
            OPEN,
            Operation(
                "isLive",
                "Whether the process can answer",
                response=Response("The process answers.", (_status("live"),)),
            ),
        ),
        Route(
            "GET",
            "/health/ready",
            ready,
            OPEN,
            Operation(
                "isReady",
                "Whether to send work here",
                response=Response("Work is welcome.", (_status("ready"),)),
                also=(Response("The service is stopping.", (_status("stopping"),), status=503),),
            ),
        ),
        Route(
            "GET",
            "/openapi.json",
            openapi,
            OPEN,
            Operation("getOpenapi", "This document", response=Response("OpenAPI 3.1.", (dict[str, Any],))),
        ),
    ]


async def edit_profile(request: web.Request) -> web.Response:
    """Change the caller's own profile: an absent field stays as it is; null or an empty text clears it."""
    patch, condition = ProfilePatch.read(await read_json(request)), if_match(request)
    request[CHANGED_FIELDS] = list(patch.changes)
    edited = await request.app[EDITOR].edit(request[CALLER], patch, condition)
    judged = {} if condition is None else {"before": edited.before}
    return Answer.of({**edited.profile, **judged}, headers={hdrs.ETAG: etag_of(edited.profile)})


async def live(_request: web.Request) -> web.Response:
    """Answer while the process can."""
    return Answer.of({"status": "live"})


async def ready(request: web.Request) -> web.Response:
    """Answer whether to send work here.

    The authority's and Graph's health are left out on purpose: they are the same for every replica, and taking
    all of them out of service would turn a clear answer into none.
    """
    if request.app[LIFE].open_for_work:
        return Answer.of({"status": "ready"})
    return Answer.of({"status": "stopping"}, status=503)


async def openapi(request: web.Request) -> web.Response:
    """Describe the API."""
    return Answer.of(request.app[DESCRIPTION]())


def _status(word: str) -> NamedSchema:
    node = {"type": "object", "required": ["status"], "properties": {"status": {"const": word}}}
    return NamedSchema(word.title(), node)
