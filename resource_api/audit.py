"""What the resource API records: who changed a profile, whose token was refused, and why.

Owns its facts, and that each request is one of them at most. Whoever is known is named by object id, and the
application by its client id.
Never changes what is answered, and never records a value or a part of a token.
"""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from resource_api.access import CALLER
from servicekit.audit.fact import SUCCESS, Fact, Outcome, outcome_of
from servicekit.audit.trail import Trail
from servicekit.problems import ProblemError
from servicekit.reference import reference_of

PROFILE_EDIT: Final = Fact("profile-edit", "sensitive_update")
TOKEN: Final = Fact("access-token", "authn_login_success", "authn_login_fail", is_common=True)
MORE_NEEDED: Final = Fact("access", "authz_fail", is_common=True)
LIMIT: Final = Fact("limit", "excess_rate_limit_exceeded", is_common=True)
INVALID_INPUT: Final = Fact("invalid-input", "input_validation_fail", is_common=True)

CHANGED_FIELDS: Final = web.RequestKey("changed_fields", Sequence[str])
"""The names of what the caller wants changed, once the request was read; empty where nothing is."""

_LONGEST_USER_AGENT: Final = 200
_OF_PROBLEMS: Final = {
    "invalid-token": TOKEN,
    "insufficient-scope": MORE_NEEDED,
    "insufficient-claims": MORE_NEEDED,
    "insufficient-user-authentication": MORE_NEEDED,
    "access-blocked": MORE_NEEDED,
    "too-many-requests": LIMIT,
    "bad-request": INVALID_INPUT,
    "invalid-profile-patch": INVALID_INPUT,
    "content-too-large": INVALID_INPUT,
    "unsupported-media-type": INVALID_INPUT,
}
# Told before or beside the edit, whatever it was about.
_NEVER_EDITS: Final = frozenset({"invalid-token", "insufficient-scope"})


def audit_middleware(trail: Trail | None) -> Middleware:
    """Return the middleware that records what became of a request; it stands inside the one that draws problems."""

    def record(
        request: web.Request, fact: Fact, outcome: Outcome, problem: ProblemError | None = None
    ) -> None:
        if trail is None:
            return
        caller = request.get(CALLER)
        members = {
            "outcome": outcome,
            "reason": problem.slug if problem else "",
            # Why a token is not believed: a code and the name of a claim.
            "detail": problem.log_detail if problem and fact is TOKEN else "",
            "person": caller.oid if caller else "",
            "client": caller.client if caller else "",
            "fields": list(request.get(CHANGED_FIELDS, ())),
            **_place(request),
        }
        is_folded = fact.is_common or caller is None
        trail.record(fact, members, kind=(members["reason"], members["person"]) if is_folded else None)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except ProblemError as problem:
            if request.get(CHANGED_FIELDS) and problem.slug not in _NEVER_EDITS:
                record(request, PROFILE_EDIT, outcome_of(problem), problem)
            elif fact := _OF_PROBLEMS.get(problem.slug):
                record(request, fact, outcome_of(problem), problem)
            raise
        if request.get(CHANGED_FIELDS):
            record(request, PROFILE_EDIT, SUCCESS)
        return response

    return middleware


def _place(request: web.Request) -> dict[str, Any]:
    resource = request.match_info.route.resource
    return {
        "address": request.remote or "",
        "network": request.remote or "",
        "user_agent": request.headers.get(hdrs.USER_AGENT, "")[:_LONGEST_USER_AGENT],
        "route": f"{request.method} {resource.canonical}" if resource else "",
        "reference": reference_of(request),
    }
