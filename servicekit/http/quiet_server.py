"""The HTTP server as both services run it: its limits, its access log, and answers to what is not HTTP.

Owns the reply to requests that the parser or aiohttp itself refuses before any middleware sees them (aiohttp's own
replies quote the offending bytes and name its version), what is read of a head at most, how long an idle connection is
kept, and the time for what is under way at the end.
Never reads settings, and never decides when to stop.
"""

import asyncio
import http
import logging
import socket
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from servicekit.errors import RequestHeaderFieldsTooLarge, RequestTimedOut, UriTooLong
from servicekit.http.access_log import AccessLog
from servicekit.http.connections import HEAD_SECONDS, Connections, LimitedHandler
from servicekit.http.current_app import CurrentApp, Handler, Use
from servicekit.http.draining import FIRST_REQUEST_SECONDS, close_listener, end_connections
from servicekit.http.request_heads import LARGEST_HEAD, LONGEST_TARGET
from servicekit.logs import log_event
from servicekit.problems import PROBLEM, draw_json, plain_problem, problem_of_refusal
from servicekit.reference import HEADER, reference_of, request_id_of

# What a person waits for at most; an orchestrator's grace period must be longer.
DRAIN_SECONDS: Final = 20
# Longer than a load balancer keeps its own (60 s are usual): who sends must be the one to close, or a request meets the
# end of its connection, and nobody may repeat it.
KEEP_ALIVE_SECONDS: Final = 75
# What remains of the wait for a connection once it has been waited for.
_AT_ONCE_SECONDS: Final = 0.01
# How many times too much is read, so that the service itself can answer it. The sum bounds many small fields.
_MARGIN: Final = 4
_MOST_FIELDS: Final = 1_000
_TOO_MANY_FIELDS: Final = "Too many headers received"

_LONGEST_LINE: Final = _MARGIN * LONGEST_TARGET
_OF_THE_HEAD: Final = {
    kind.status: kind for kind in (UriTooLong, RequestHeaderFieldsTooLarge, RequestTimedOut)
}

_log = logging.getLogger(__name__)


class _QuietHandler(LimitedHandler):
    """A connection whose refusals are problems without a word of the request.

    `largest_unread` is how many bytes may come before a head is complete.
    """

    largest_unread = _MARGIN * LARGEST_HEAD
    unread = 0
    heard_at = 0.0

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

    def data_received(self, data: bytes) -> None:
        is_between_requests = self._waiter is not None and not self._waiter.done()
        self.heard_at = self._loop.time()
        super().data_received(data)
        self.unread = self.unread + len(data) if is_between_requests and not self._messages else 0
        if self.unread > self.largest_unread:
            self.unread = 0
            self._messages.append((_ErrInfo(431, ValueError("head"), ""), EMPTY_PAYLOAD))
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the very text that must not be sent
    ) -> web.StreamResponse:
        status = _status_of(exc) or status
        level = logging.ERROR if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else logging.DEBUG
        log_event(
            _log,
            level,
            "request-refused-by-parser",
            status=status,
            fault_kind=type(exc).__name__,
            reference=reference_of(request),
        )
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        error = _OF_THE_HEAD.get(status)
        problem = error().problem() if error else plain_problem(status)
        request[PROBLEM] = problem.slug
        response = draw_json(request, problem, reference_of(request))
        response.headers[hdrs.SERVER] = ""
        response.headers[HEADER] = request_id_of(request).text
        response.force_close()
        return response


def _status_of(fault: BaseException | None) -> int | None:
    """Return the status for a head of which there is too much; None for every other fault."""
    if isinstance(fault, LineTooLong):
        _, limit, _ = fault.args
        return UriTooLong.status if limit == _LONGEST_LINE else RequestHeaderFieldsTooLarge.status
    if isinstance(fault, BadHttpMessage) and fault.message == _TOO_MANY_FIELDS:
        return RequestHeaderFieldsTooLarge.status
    return None


def _unexpected(request: web.BaseRequest, refused: web.HTTPExpectationFailed) -> web.StreamResponse:
    response = draw_json(request, problem_of_refusal(refused), reference_of(request))
    response.headers[HEADER] = request_id_of(request).text
    response.force_close()  # the body may still be on its way
    return response


def _without_echo(handler: Handler) -> Handler:
    """Return `handler` with a problem for what aiohttp refuses before any middleware sees it, and quotes: `Expect`."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if not request.headers.get(hdrs.EXPECT, "").isascii():
            return _unexpected(request, web.HTTPExpectationFailed())  # aiohttp's own would be no UTF-8
        try:
            return await handler(request)
        except web.HTTPExpectationFailed as refused:
            return _unexpected(request, refused)

    return handle


class _QuietServer(web.Server):
    largest_head = LARGEST_HEAD
    head_seconds = HEAD_SECONDS
    limited = Connections()

    def __call__(self) -> RequestHandler:
        handler = _QuietHandler(self, loop=self._loop, **self._kwargs)
        handler.largest_unread = _MARGIN * self.largest_head
        handler.connections = self.limited
        handler.head_seconds = self.head_seconds
        handler.heard_at = self._loop.time()
        return handler


class QuietRunner(web.AppRunner):
    """An AppRunner whose connections are quiet, and which leaves compressed bodies compressed.

    `service` names the access log's logger, so that it is one of ours: those of outer libraries are kept at WARNING.
    None is for what is asked all the time, and has no access log.
    `largest_head` is how many bytes of header fields the application takes, which must come within `head_seconds`;
    `keep_alive_seconds` is how long a connection without a request is kept. `connections` are those that there are;
    `servicekit/http/serving.py` says how many there may be.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        service: str | None,
        largest_head: int = LARGEST_HEAD,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        drain_seconds: float = DRAIN_SECONDS,
        head_seconds: float = HEAD_SECONDS,
    ) -> None:
        super().__init__(
            app,
            access_log_class=AccessLog,
            access_log=logging.getLogger(f"{service}.access") if service else None,
            shutdown_timeout=drain_seconds,
            keepalive_timeout=keep_alive_seconds,
            max_line_size=_LONGEST_LINE,
            max_field_size=_MARGIN * largest_head,
            max_headers=_MOST_FIELDS,
            auto_decompress=False,
        )
        self._largest_head = largest_head
        self._head_seconds = head_seconds
        self.connections = Connections()
        self._drain_seconds = drain_seconds
        self._current: CurrentApp
        self._leaving: set[asyncio.Task[None]] = set()

    def close_after_answers(self) -> None:
        """Let each answer from now on be the last on its connection, and say so."""
        self._current.answers_are_last = True

    async def exchange(self, app: web.Application) -> None:
        """Start `app` and answer with it from now on; connections stay, and the one of before ends what it began.

        Raises what the start of `app` raises, and changes nothing then.
        """
        fresh = web.AppRunner(app, auto_decompress=False)
        await fresh.setup()
        if fresh.server is None:  # pragma: no cover - for the types: it is there after `setup`
            raise RuntimeError("no server")
        before, self._app = self._app, app
        use = self._current.exchange(_without_echo(fresh.server.request_handler))
        leaving = asyncio.create_task(self._end(before, use))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _end(self, app: web.Application, use: Use) -> None:
        await app.shutdown()
        try:
            async with asyncio.timeout(self._drain_seconds):
                await use.ended()
        except TimeoutError:
            log_event(_log, logging.WARNING, "application-left-with-requests")
        await app.cleanup()

    async def drain(self, listener: socket.socket, abandoned: asyncio.Event) -> None:
        """Take no more connections at `listener`, and end those that there are."""
        for site in self.sites:
            await close_listener(site, listener)
        self.close_after_answers()
        await self.shutdown()
        await end_connections(
            self.connections,  # type: ignore[arg-type] # each of them is one of ours
            seconds=self._drain_seconds,
            abandoned=abandoned,
        )
        self._shutdown_timeout = _AT_ONCE_SECONDS

    async def cleanup(self) -> None:
        """End everything: the connections, what applications of before still do, and the application."""
        await super().cleanup()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        self._current = CurrentApp(_without_echo(server.request_handler))
        quiet = _QuietServer(
            self._current,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            **server._kwargs,  # noqa: SLF001 - aiohttp offers no way to name the handler's class
        )
        quiet.largest_head = self._largest_head
        quiet.head_seconds = self._head_seconds
        quiet.limited = self.connections
        return quiet
