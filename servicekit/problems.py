"""RFC 9457 problem details: the only place where errors become `application/problem+json`.

Owns the shape of a failed answer, with the reference that a person can quote, and the middleware that draws it.
Never decides what counts as a failure: services raise their own `ProblemError`s, and anything else that is
raised is a fault of ours, answered with a bare 500 and written to the log.
"""

import http
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from servicekit.callers import unknown_caller
from servicekit.http.answers import Answer
from servicekit.logs import log_event
from servicekit.reference import reference_of

PROBLEM: Final = web.RequestKey("problem", str)
"""The slug of the problem that the request met, for whoever counts."""

TYPE_PREFIX: Final = "/problems/"

_log = logging.getLogger(__name__)

# The only headers of an aiohttp refusal that carry meaning for the caller.
_KEPT_HEADERS: Final = frozenset({"Allow", "Retry-After"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One failed answer, before it is drawn.

    `members` are RFC 9457 extension members; a value of None is left out.
    `log_detail` goes to the log and never to the caller.
    """

    status: int
    slug: str
    title: str
    detail: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    log_detail: str = ""

    def body(self, reference: str) -> dict[str, Any]:
        """Return the JSON members (RFC 9457, section 3.1)."""
        drawn: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            drawn["detail"] = self.detail
        drawn |= {name: value for name, value in self.members.items() if value is not None}
        drawn["reference"] = reference
        return drawn


class ProblemError(Exception):
    """The root of every failure that a caller is told about; a leaf names its status, slug and title.

    `detail` is a sentence for the caller, `log_detail` one for the operator; the exception's own text is the latter.
    `members` become extension members, `headers` headers of the answer.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something failed on our side"
    log_level: ClassVar[int] = logging.INFO

    def __init__(
        self,
        detail: str = "",
        *,
        log_detail: str = "",
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(log_detail or detail or self.title)
        self.detail = detail
        self.log_detail = log_detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def problem(self) -> Problem:
        """Return the problem that this error is."""
        return Problem(
            self.status, self.slug, self.title, self.detail, self.members, self.headers, self.log_detail
        )


Draw = Callable[[web.Request, Problem, str], web.StreamResponse]


def draw_json(_request: web.BaseRequest, problem: Problem, reference: str) -> web.StreamResponse:
    """Draw a problem as `application/problem+json`."""
    return Answer.of(
        problem.body(reference),
        status=problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
        content_type="application/problem+json; charset=utf-8",
    )


def plain_problem(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem that says no more than its status does."""
    title = http.HTTPStatus(status).phrase
    return Problem(status, title.lower().replace(" ", "-"), title, headers=headers or {})


def problem_of_refusal(error: web.HTTPException) -> Problem:
    """Return one of aiohttp's own refusals (404, 405, 413…) without its text: it may echo input."""
    return plain_problem(
        error.status, {name: value for name, value in error.headers.items() if name in _KEPT_HEADERS}
    )


def problems_middleware(draw: Draw = draw_json) -> Middleware:
    """Return the outermost middleware: whatever is raised inside becomes an answer drawn by `draw`.

    Not caught here: cancellation. Nothing may be raised once a streamed answer has begun: it cannot become a problem.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 - the last resort: nothing of ours may leak to the caller
            return answer_to(request, error, draw)

    return middleware


def answer_to(request: web.Request, error: Exception, draw: Draw = draw_json) -> web.StreamResponse:
    """Return the answer to what a request was ended by, drawn by `draw`, and write its line of the log.

    Raises the error itself where it is a redirect: that is an answer already. To be called where it is handled.
    """
    fault: BaseException | None
    if isinstance(error, ProblemError):
        problem, level, fault = error.problem(), error.log_level, error.__cause__
    elif isinstance(error, web.HTTPException):
        if error.status < http.HTTPStatus.BAD_REQUEST:
            raise error
        problem, level, fault = problem_of_refusal(error), logging.DEBUG, None
    elif error is request.content.exception():
        # The caller went away in the middle of the body, and no operator can do anything about that.
        problem, level, fault = plain_problem(400), logging.DEBUG, error
    else:
        problem = Problem(500, ProblemError.slug, ProblemError.title)
        level, fault = logging.ERROR, error
    request[PROBLEM] = problem.slug
    reference = reference_of(request)
    log_event(
        _log,
        level,
        "problem",
        fault=fault if level >= logging.ERROR else None,
        stranger=unknown_caller(request, problem.status),
        status=problem.status,
        slug=problem.slug,
        log_detail=problem.log_detail,
        fault_kind=type(fault).__name__ if fault else None,
        reference=reference,
    )
    return draw(request, problem, reference)
