"""The API's description in OpenAPI 3.1, drawn from the rows, the fields and the failures that the code itself uses.

Owns the document's frame, and what each failure looks like to a caller.
Never repeats a limit by hand, so that it can't drift from the code.
"""

import inspect
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from resource_api import errors
from resource_api.access import Route, ScopePolicy
from resource_api.profile import MEMBERS, Profile
from resource_api.routes import PROFILE
from servicekit import errors as shared
from servicekit.http.conditions import etag_of
from servicekit.openapi import Components, Node
from servicekit.operations import ProblemType, Shape
from servicekit.problems import ProblemError
from servicekit.text_fields import REQUIRED, FieldError
from servicekit.text_schemas import FIELD_ERRORS
from servicekit.version import VERSION

_SCOPE: Final = "EditProfileService.ReadWrite"
_CLAIMS: Final = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
_OUTCOME: Final = Annotated[Literal["not-saved", "unknown"], Field(description="What became of the write.")]
_ADA: Final[Profile] = {
    **dict.fromkeys(MEMBERS),
    "id": "6d3a8f10-58c2-4b7e-9a34-0f1e2d3c4b5a",
    "displayName": "Ada Lovelace",
}
_HEADERS: Final[dict[str, Node]] = {
    "ETag": {
        "description": "The profile's entity tag, strong; send it back as `If-Match`.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "WWW-Authenticate": {
        "description": "What the token lacks (RFC 6750; RFC 9470; Entra's claims challenge).",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 0},
    },
}
# What a token is refused with, wherever one is asked for, and what may go wrong meanwhile.
_OF_A_TOKEN: Final = (
    shared.UriTooLong,
    shared.RequestHeaderFieldsTooLarge,
    errors.MisplacedToken,
    errors.InvalidToken,
    shared.TooManyRequests,
    errors.InsufficientScope,
    errors.InsufficientClaims,
    errors.InsufficientUserAuthentication,
    shared.AuthorityUnavailable,
    shared.Overloaded,
    shared.Misconfigured,
    ProblemError,
)


def _kind(
    error: ProblemError,
    *,
    required: Mapping[str, Shape] | None = None,
    optional: Mapping[str, Shape] | None = None,
    alias: str = "",
) -> ProblemType:
    """Return what `error` looks like; its class says when it is met."""
    words = inspect.cleandoc(type(error).__doc__ or "").split("\n\n")[0]
    return ProblemType(error.problem(), " ".join(words.split()), required or {}, optional or {}, alias)


PROBLEM_TYPES: Final = (
    _kind(shared.BadRequest("The body cannot be used: not JSON at line 1, column 2.")),
    _kind(errors.InvalidToken("")),
    _kind(errors.InsufficientScope(_SCOPE), required={"scope": str}),
    _kind(errors.InsufficientClaims(_CLAIMS, cause="")),
    _kind(
        errors.InsufficientUserAuthentication(max_age=300, acr_values="c1"),
        required={"max_age": int},
        optional={"acr_values": str},
    ),
    _kind(shared.AccessBlocked()),
    _kind(shared.RequestTimedOut()),
    _kind(errors.ProfileNotFound(""), required={"outcome": _OUTCOME}),
    _kind(shared.BodyTooLarge()),
    _kind(shared.UriTooLong()),
    _kind(shared.UnsupportedMediaType()),
    _kind(shared.RequestHeaderFieldsTooLarge()),
    _kind(
        shared.TooManyRequests(
            "Too many access tokens came from this network that cannot be believed.", retry_after=1
        )
    ),
    _kind(
        errors.InvalidProfilePatch([FieldError("displayName", REQUIRED, "This can't be empty.")]),
        required={"errors": FIELD_ERRORS},
    ),
    _kind(errors.ProfileChanged(_ADA, etag_of(_ADA)), required={"profile": PROFILE}),
    ProblemType(ProblemError().problem(), "A fault of this service; `reference` finds it in the log."),
    _kind(shared.Misconfigured()),
    _kind(errors.DirectoryUnavailable(""), required={"outcome": _OUTCOME}),
    _kind(errors.ResourceBusy(""), required={"outcome": _OUTCOME}, alias="resource-busy"),
    _kind(shared.AuthorityUnavailable("")),
    _kind(shared.Overloaded()),
)


def document(rows: Iterable[Route]) -> dict[str, Any]:
    """Return the document."""
    components = Components(problem_types=PROBLEM_TYPES, headers=_HEADERS, examples={})
    paths: dict[str, Node] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Edit profile service",
            "version": VERSION,
            "description": "Changes the signed-in person's own profile in the directory, on their behalf.",
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A delegated access token for this API, with the scope that the operation names.",
                }
            },
            **components.node,
        },
    }


def _operation(row: Route, components: Components) -> Node:
    scope = row.policy.scope if isinstance(row.policy, ScopePolicy) else None
    return components.operation(
        row.operation,
        row.handler,
        problems=(*(_OF_A_TOKEN if scope else ()), *row.operation.problems),
        security=[{"bearer": [scope]}] if scope else [],
    )
