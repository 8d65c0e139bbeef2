"""What the resource API records: who changed a profile, whose token was refused, and why.

Owns its facts, and that each request is one of them at most. Whoever is known is named by object id, and the
application by its client id.
Never changes what is answered, and never records a value or a part of a token.
"""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import hdrs, web

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


class Audit:
    """Records what became of requests in `trail`, if there is one."""

    def __init__(self, trail: Trail | None) -> None:
        self._trail = trail

    def answered(self, request: web.Request) -> None:
        """Record a request that was answered as it was meant."""
        if request.get(CHANGED_FIELDS):
            self._record(request, PROFILE_EDIT, SUCCESS)

    def ended(self, request: web.Request, error: Exception) -> None:
        """Record what ended a request, where that is a fact."""
        if not isinstance(error, ProblemError):
            return
        if request.get(CHANGED_FIELDS) and error.slug not in _NEVER_EDITS:
            self._record(request, PROFILE_EDIT, outcome_of(error), error)
        elif fact := _OF_PROBLEMS.get(error.slug):
            self._record(request, fact, outcome_of(error), error)

    def _record(
        self, request: web.Request, fact: Fact, outcome: Outcome, problem: ProblemError | None = None
    ) -> None:
        if self._trail is None:
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
        self._trail.record(fact, members, kind=(members["reason"], members["person"]) if is_folded else None)


def _place(request: web.Request) -> dict[str, Any]:
    resource = request.match_info.route.resource
    return {
        "address": request.remote or "",
        "network": request.remote or "",
        "user_agent": request.headers.get(hdrs.USER_AGENT, "")[:_LONGEST_USER_AGENT],
        "route": f"{request.method} {resource.canonical}" if resource else "",
        "reference": reference_of(request),
    }
