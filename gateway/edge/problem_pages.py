"""How a problem is shown: JSON for programs, the client's own pages for people who navigate.

Owns which of the two a request gets, whose page it is, and what the page's address says: the problem's type, its
reference, and the path to return to.
Never decides what is a problem, and never writes the JSON (`servicekit/problems.py` does both).
"""

from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlencode

from aiohttp import hdrs, web

from gateway.edge.guard import RequestKind, kind_of
from gateway.edge.navigations import is_page_wanted
from gateway.edge.origins import OurOrigins
from gateway.edge.plain_pages import SHOWN, plain_page
from servicekit.errors import TooManyRequests
from servicekit.problems import Draw, Problem, draw_json

RETURN_TO: Final = web.RequestKey("return_to", str)
"""Where the flow that this request belongs to leads back to; set once it is known."""
FLOW_STATE: Final = web.RequestKey("flow_state", str)
"""The `state` of the flow that this request ends, whatever its end."""

# Whoever gets these did not navigate from our pages.
_NEVER_PAGES: Final = frozenset({"cross-origin-refused", "misdirected-request"})


class FrontEnd(Protocol):
    """The pages that people see: our own client's, or those of another front end."""

    def lost(self, request: web.Request) -> web.StreamResponse | None:
        """Return what a person is shown at an address that does not exist; None for the problem itself."""


def problem_pages(
    pages: FrontEnd,
    *,
    host: str,
    close_flow: Callable[[web.Response, str], web.Response],
    return_address: Callable[[str | None], str],
    origins: OurOrigins,
) -> Draw:
    """Return how problems are drawn; `close_flow` takes the cookie of a flow back, by its `state`.

    `host` is what people know us by, `return_address` makes an address that may be led to of whatever `return_to` says.
    """

    def draw(request: web.Request, problem: Problem, reference: str) -> web.StreamResponse:
        navigates = kind_of(request) in {RequestKind.NAVIGATION, RequestKind.CALLBACK}
        if problem.slug in SHOWN and FLOW_STATE not in request:
            # The client's own page would be asked for by a request that is too large as well, or one too many.
            if navigates or is_page_wanted(request):
                return plain_page(request, problem, reference, host=host)
        elif navigates and problem.slug not in _NEVER_PAGES:
            if problem.slug == TooManyRequests.slug and kind_of(request) is RequestKind.NAVIGATION:
                # Whoever refused it never learned where the flow would have led back to.
                request[RETURN_TO] = return_address(request.query.get("return_to"))
            response = _to_problem_page(request, problem, reference, origins)
            return close_flow(response, request[FLOW_STATE]) if FLOW_STATE in request else response
        if _is_lost_person(request, problem) and (page := pages.lost(request)):
            return page
        return draw_json(request, problem, reference)

    return draw


def _to_problem_page(
    request: web.Request, problem: Problem, reference: str, origins: OurOrigins
) -> web.Response:
    query = {"type": problem.slug, "reference": reference}
    front_end = ""
    if RETURN_TO in request:
        # The page of the front end that began the flow says it, and leads back by a path of its own.
        front_end = origins.other_at(request[RETURN_TO]) or ""
        query["return_to"] = request[RETURN_TO].removeprefix(front_end)
    if problem.slug == TooManyRequests.slug:
        # Not as a header: that would ask the browser to follow the redirection so much later (RFC 9110, 10.2.3).
        query["retry_after"] = problem.headers[hdrs.RETRY_AFTER]
    return web.Response(
        status=303,
        headers={hdrs.LOCATION: f"{front_end}/problem?{urlencode(query)}", hdrs.CACHE_CONTROL: "no-store"},
    )


def _is_lost_person(request: web.Request, problem: Problem) -> bool:
    """Tell whether a browser asks for a page that does not exist."""
    return (
        problem.status == web.HTTPNotFound.status_code
        and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}
        and "text/html" in request.headers.get(hdrs.ACCEPT, "")
    )
