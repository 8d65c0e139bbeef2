"""The HTTP server as both services run it: its limits, its access log, and answers to what is not HTTP.

Owns the reply to requests that the parser or aiohttp itself refuses before any middleware sees them (aiohttp's own
replies quote the offending bytes and name its version), the limits of a header, and the time for what is under way at
the end.
Never reads settings, and never decides when to stop.
"""

import http
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from servicekit.logs import AccessLog, log_event
from servicekit.problems import draw_json, plain_problem, problem_of_refusal, reference_of

# What a person waits for at most; an orchestrator's grace period must be longer.
DRAIN_SECONDS: Final = 20

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


class _QuietHandler(RequestHandler):
    """A connection whose refusals are problems without a word of the request."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the very text that must not be sent
    ) -> web.StreamResponse:
        level = logging.ERROR if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else logging.DEBUG
        log_event(_log, level, "request-refused-by-parser", status=status, fault_kind=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        response = draw_json(request, plain_problem(status), "none")
        response.headers[hdrs.SERVER] = ""
        response.force_close()
        return response


def _without_echo(handler: _Handler) -> _Handler:
    """Return `handler` with a problem for what aiohttp refuses before any middleware sees it, and quotes: `Expect`."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPExpectationFailed as refused:
            response = draw_json(request, problem_of_refusal(refused), reference_of(request))
            response.force_close()  # the body may still be on its way
            return response

    return handle


class _QuietServer(web.Server):
    def __call__(self) -> RequestHandler:
        return _QuietHandler(self, loop=self._loop, **self._kwargs)


class QuietRunner(web.AppRunner):
    """An AppRunner whose connections are quiet, and which leaves compressed bodies compressed.

    `service` names the access log's logger, so that it is one of ours: those of outer libraries are kept at WARNING.
    `longest_field` is the most bytes of a request's line or of one header.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        service: str,
        longest_field: int = 8190,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        super().__init__(
            app,
            access_log_class=AccessLog,
            access_log=logging.getLogger(f"{service}.access"),
            shutdown_timeout=drain_seconds,
            keepalive_timeout=30,
            max_line_size=longest_field,
            max_field_size=longest_field,
            auto_decompress=False,
        )

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        return _QuietServer(
            _without_echo(server.request_handler),
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            **server._kwargs,  # noqa: SLF001 - aiohttp offers no way to name the handler's class
        )
