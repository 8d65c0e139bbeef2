"""What was refused, recorded where every refusal passes: once for each request, with whoever is known by then.

Owns which problem of which route is a fact. Success is recorded where it happens.
Never changes what is raised.
"""

import weakref
from typing import Final

from aiohttp import web

from gateway.audit import facts
from gateway.audit.origin import current_origin
from gateway.audit.recorder import Audit
from gateway.edge.guard import RequestKind, kind_of
from gateway.request_metrics import FLOW
from servicekit.audit.fact import REFUSED, Fact, outcome_of
from servicekit.problems import ProblemError

_OF_FLOWS: Final = {"sign-in": facts.SIGN_IN, "sign-up": facts.SIGN_UP, "step-up": facts.STEP_UP}
_OF_PROBLEMS: Final[dict[str, Fact]] = {
    "cross-origin-refused": facts.CROSS_ORIGIN,
    "misdirected-request": facts.WRONG_HOST,
    "duplicate-cookie": facts.DUPLICATE_COOKIE,
    "too-many-requests": facts.LIMIT,
    "step-up-loop": facts.LIMIT,
    "step-up-required": facts.STEP_UP_DEMANDED,
    "access-blocked": facts.BLOCKED,
    "not-found": facts.UNKNOWN_OBJECT,
    "bad-request": facts.INVALID_INPUT,
    "content-too-large": facts.INVALID_INPUT,
    "unsupported-media-type": facts.INVALID_INPUT,
    "uri-too-long": facts.INVALID_INPUT,
    "request-header-fields-too-large": facts.INVALID_INPUT,
    "invalid-profile-patch": facts.INVALID_INPUT,
    "idempotency-key-reused": facts.INVALID_INPUT,
}


class Refusals:
    """Records what ended a request."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        # An answer of the authority that comes twice fails twice, by one fault.
        self._recorded: weakref.WeakSet[ProblemError] = weakref.WeakSet()

    def record(self, request: web.Request, error: Exception) -> None:
        """Record it where it is a refusal."""
        if isinstance(error, web.HTTPRequestEntityTooLarge):
            self._audit.record(facts.INVALID_INPUT, outcome=REFUSED, reason="content-too-large")
        elif isinstance(error, ProblemError):
            fact = _fact_of(request, error)
            if fact and not current_origin().has_failed and error not in self._recorded:
                if kind_of(request) is RequestKind.CALLBACK:
                    self._recorded.add(error)
                self._audit.record(fact, outcome=outcome_of(error), reason=_reason(error))


def _fact_of(request: web.Request, problem: ProblemError) -> Fact | None:
    kind = kind_of(request)
    if problem.slug in {"too-many-requests", "misdirected-request"}:
        return _OF_PROBLEMS[problem.slug]
    if kind is RequestKind.CALLBACK:
        # Which flow it is, is known once this browser's own was found.
        return _OF_FLOWS[request[FLOW][0]] if FLOW in request else facts.UNKNOWN_FLOW
    if kind is RequestKind.BACKCHANNEL:
        return facts.LOGOUT_TOKEN
    if problem.slug == "sign-in-required":
        return _of_no_session(problem.members.get("reason"))
    return _OF_PROBLEMS.get(problem.slug)


def _of_no_session(reason: object) -> Fact | None:
    if reason == "duplicate-cookie":
        return facts.DUPLICATE_COOKIE
    return facts.ENDED_SESSION_USED if reason else None


def _reason(problem: ProblemError) -> str:
    """Return why, as a slug: why a session ended, which limit it was, or the problem."""
    if problem.slug == "too-many-requests" and problem.log_detail:
        return problem.log_detail
    ended = problem.members.get("reason")
    return ended if isinstance(ended, str) else problem.slug
