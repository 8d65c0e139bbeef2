"""The service as a process: listening, draining, and answers to what is not HTTP.

Owns the server's limits, the end on SIGTERM and Ctrl-C, and the reply to requests that the parser refuses:
aiohttp's own quotes the offending bytes and names its version.
Never reads settings and never decides an exit code.
"""

import asyncio
import http
import logging
import signal
from collections.abc import Callable
from typing import Final

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from servicekit.logs import AccessLog, log_event
from servicekit.problems import Problem

# What a person waits for at most; an orchestrator's grace period must be longer.
DRAIN_SECONDS: Final = 20
LONGEST_FIELD: Final = 16_384

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
        title = http.HTTPStatus(status).phrase
        response = web.json_response(
            Problem(status, title.lower().replace(" ", "-"), title).body("none"),
            status=status,
            content_type="application/problem+json",
            headers={hdrs.CACHE_CONTROL: "no-store", hdrs.SERVER: ""},
        )
        response.force_close()
        return response


class _QuietServer(web.Server):
    def __call__(self) -> RequestHandler:
        return _QuietHandler(self, loop=self._loop, **self._kwargs)


class QuietRunner(web.AppRunner):
    """An AppRunner whose connections are quiet, and which leaves compressed bodies compressed."""

    def __init__(self, app: web.Application, *, drain_seconds: float = DRAIN_SECONDS) -> None:
        super().__init__(
            app,
            access_log_class=AccessLog,
            # Under our own name: the loggers of outer libraries are kept at WARNING.
            access_log=logging.getLogger("resource_api.access"),
            shutdown_timeout=drain_seconds,
            keepalive_timeout=30,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            auto_decompress=False,
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _QuietServer(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,  # noqa: SLF001 - aiohttp offers no way to name the handler's class
        )


async def serve(
    app: web.Application,
    host: str,
    port: int,
    *,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, call `on_stop`, and finish what is under way.

    Raises OSError when the port can't be had.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    runner = QuietRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        log_event(_log, logging.INFO, "listening", addresses=[list(name[:2]) for name in runner.addresses])
        await stopping.wait()
        log_event(_log, logging.INFO, "stopping")
        on_stop()
    finally:
        await runner.cleanup()
