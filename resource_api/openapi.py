"""The API's description in OpenAPI 3.1, drawn from the fields, limits and failures that the code itself uses.

Owns the document's shape.
Never repeats a limit by hand, so that it can't drift from the code.
"""

from typing import Any, Final

from resource_api import errors
from resource_api.access import ScopePolicy
from resource_api.body import TYPES
from resource_api.profile import EDITABLE, MEMBERS
from servicekit import errors as shared
from servicekit.problems import TYPE_PREFIX, ProblemError
from servicekit.text_fields import INVALID_VALUE, REQUIRED, TOO_LONG, UNKNOWN_FIELD, WRONG_TYPE, TextField
from servicekit.version import VERSION

_CODES: Final = [UNKNOWN_FIELD, WRONG_TYPE, TOO_LONG, REQUIRED, INVALID_VALUE]


def failures() -> list[type[ProblemError]]:
    """Return every kind of failure that callers can meet, by status and slug."""
    kinds = {
        kind
        for kind in (*vars(shared).values(), *vars(errors).values())
        # What this service tells in forms of its own only is not listed beside them.
        if isinstance(kind, type)
        and issubclass(kind, ProblemError)
        and kind not in {errors.TokenNeeded, shared.ResourceUnavailable}
    }
    return sorted(kinds, key=lambda kind: (kind.status, kind.slug, kind.title))


def document(policy: ScopePolicy) -> dict[str, Any]:
    """Return the document; `policy` is the one that guards `PATCH /profile`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Edit profile service",
            "version": VERSION,
            "description": "Changes the signed-in person's own profile in the directory, on their behalf.",
        },
        "security": [{"bearer": []}],
        "paths": {
            "/profile": {"patch": _patch(policy)},
            "/health/live": {"get": _plain("Whether the process can answer", "live")},
            "/health/ready": {"get": _plain("Whether to send work here", "ready", stopping=True)},
            "/openapi.json": {"get": _plain("This document")},
        },
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": f"A delegated access token for this API with the scope {policy.scope}.",
                }
            },
            "schemas": {
                "ProfilePatch": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {field.name: _text(field) for field in EDITABLE},
                },
                "Profile": {
                    "type": "object",
                    "required": list(MEMBERS),
                    "properties": {
                        name: {"type": "string" if name == "id" else ["string", "null"]} for name in MEMBERS
                    },
                },
                "Problem": _problem(),
            },
        },
    }


def _patch(policy: ScopePolicy) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/ProfilePatch"}}
    answers: dict[str, Any] = {
        "200": {
            "description": "The profile as it now is.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Profile"}}},
        }
    }
    for kind in failures():
        told = f"`{kind.slug}`: {kind.title}."
        answer = answers.setdefault(
            str(kind.status),
            {
                "description": "",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
        answer["description"] = f"{answer['description']} {told}".strip()
    return {
        "summary": "Change the caller's own profile",
        "description": "An absent field stays as it is; null or an empty text clears it.",
        "operationId": "editProfile",
        "security": [{"bearer": [policy.scope]}],
        "requestBody": {"required": True, "content": dict.fromkeys(TYPES, schema)},
        "responses": dict(sorted(answers.items())),
    }


def _plain(summary: str, status: str = "", *, stopping: bool = False) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"status": {"const": status}}} if status else {"type": "object"}
    answers = {"200": {"description": summary, "content": {"application/json": {"schema": schema}}}}
    if stopping:
        answers["503"] = {"description": "The service is stopping.", "content": {"application/json": {}}}
    return {"summary": summary, "security": [], "responses": answers}


def _text(field: TextField) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "type": "string" if field.required else ["string", "null"],
        "maxLength": field.longest,
    }
    if field.required:
        drawn["minLength"] = 1
    if field.form:
        drawn["pattern"] = f"^({field.form.pattern})?$"
    return drawn


def _problem() -> dict[str, Any]:
    slugs = sorted({kind.slug for kind in failures()})
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "reference"],
        "properties": {
            "type": {"type": "string", "examples": [TYPE_PREFIX + slug for slug in slugs]},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "reference": {"type": "string", "description": "What to quote when asking for help."},
            "scope": text,
            "max_age": {"type": "integer"},
            "acr_values": text,
            "outcome": {"enum": [errors.NOT_SAVED, errors.UNKNOWN]},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "code", "detail"],
                    "properties": {"field": text, "code": {"enum": _CODES}, "detail": text},
                },
            },
        },
    }
