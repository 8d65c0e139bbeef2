"""One connection of a client, and what is answered to bytes that are no request.

Owns the reply to what the parser refuses, or lets through although it is ambiguous (`request_faults.py`), and to a head
without measure (`limited_handler.py`), or to what it expects of us: a problem that has the headers of every answer and
no word of the request, and the end of the connection. aiohttp's own replies quote the offending bytes and name its
version.
Never reads a body, and never knows a route.
"""

import http
import json
import logging
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import _ErrInfo

from servicekit.errors import RequestHeaderFieldsTooLarge, RequestTimedOut, UriTooLong
from servicekit.http.draining import FIRST_REQUEST_SECONDS
from servicekit.http.limited_handler import MARGIN, LimitedHandler
from servicekit.http.request_faults import RequestFault, fault_in
from servicekit.http.request_heads import LONGEST_TARGET
from servicekit.logs import log_event
from servicekit.problems import PROBLEM, Problem, plain_problem, problem_of_refusal
from servicekit.reference import HEADER, reference_of, request_id_of

Headers = Callable[[], Mapping[str, str]]
LONGEST_LINE: Final = MARGIN * LONGEST_TARGET
_TOO_MANY_FIELDS: Final = "Too many headers received"
_OF_THE_HEAD: Final = {
    kind.status: kind for kind in (UriTooLong, RequestHeaderFieldsTooLarge, RequestTimedOut)
}

_log = logging.getLogger(__name__)


class QuietHandler(LimitedHandler):
    """A connection whose refusals are problems without a word of the request.

    `headers` returns what every answer has.
    """

    headers: Headers = dict

    @property
    def is_awaited(self) -> bool:
        """Whether its first request is still to be expected, or the rest of a head."""
        is_expected = self.unread > 0 or not self._request_count
        return is_expected and self._loop.time() - self.heard_at < FIRST_REQUEST_SECONDS

    def end(self) -> None:
        """Close it, in good order where that is possible."""
        if self.transport is None:
            self.abandon()
        else:
            self.force_close()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer, and judge what was kept back behind an upgrade that nobody took up."""
        was_upgraded = self._upgraded
        finished = await super().finish_response(request, resp, start_time)
        if was_upgraded:
            self._judge(0)
        return finished

    def _judge(self, first: int) -> None:
        """Put a refusal in the place of each request, from the `first` in the line, that the parser let through."""
        line = self._messages
        for place in range(first, len(line)):
            message = line[place][0]
            if isinstance(message, RawRequestMessage) and (fault := fault_in(message)):
                line[place] = (_ErrInfo(http.HTTPStatus.BAD_REQUEST, fault, ""), EMPTY_PAYLOAD)

    def _response_to(self, request: web.BaseRequest, error: Exception) -> web.StreamResponse:
        """Return the answer to what a handler raised; a problem where aiohttp refuses an `Expect`, and would quote it.

        One that is no text makes it fail at that, as it cannot be written in UTF-8 (RFC 9110, section 10.1.1).
        """
        if isinstance(error, web.HTTPExpectationFailed | UnicodeError) and hdrs.EXPECT in request.headers:
            # The body may still be on its way: the connection ends.
            return refusal(request, problem_of_refusal(web.HTTPExpectationFailed()), self.headers())
        return super()._response_to(request, error)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the very text that must not be sent
    ) -> web.StreamResponse:
        """Return the problem for what is no request; raises ConnectionError where an answer has begun."""
        status = _status_of(exc) or status
        level = logging.ERROR if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else logging.DEBUG
        log_event(
            _log,
            level,
            "request-refused-by-parser",
            status=status,
            fault_kind=type(exc).__name__,
            reason=str(exc) if isinstance(exc, RequestFault) else None,
            reference=reference_of(request),
        )
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        error = _OF_THE_HEAD.get(status)
        problem = error().problem() if error else plain_problem(status)
        request[PROBLEM] = problem.slug
        is_of_head = isinstance(exc, RequestFault) and exc.is_of_head
        return refusal(request, problem, self.headers(), has_body=not is_of_head)


def refusal(
    request: web.BaseRequest, problem: Problem, headers: Mapping[str, str], *, has_body: bool = True
) -> web.StreamResponse:
    """Return the answer to what no application has seen, which ends the connection."""
    body = json.dumps(problem.body(reference_of(request))).encode() if has_body else b""
    response = _Refusal(body=body, status=problem.status, headers={**headers, **problem.headers})
    response.headers[hdrs.CONTENT_TYPE] = "application/problem+json; charset=utf-8"
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers[HEADER] = request_id_of(request).text
    response.headers[hdrs.CONNECTION] = "close"
    response.force_close()
    return response


class _Refusal(web.Response):
    """An answer that no application completes: it belongs to no request that was routed."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)  # aiohttp's name and version


def _status_of(fault: BaseException | None) -> int | None:
    """Return the status for a head of which there is too much; None for every other fault."""
    if isinstance(fault, LineTooLong):
        _, limit, _ = fault.args
        return UriTooLong.status if limit == LONGEST_LINE else RequestHeaderFieldsTooLarge.status
    if isinstance(fault, BadHttpMessage) and fault.message == _TOO_MANY_FIELDS:
        return RequestHeaderFieldsTooLarge.status
    return None
