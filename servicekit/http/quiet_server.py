"""The HTTP server as both services run it: its limits, its access log, and which application answers.

Owns what is read of a head at most, how long an idle connection is kept, the reply to what aiohttp refuses before any
middleware sees it, and the time for what is under way at the end.
Never reads settings, and never decides when to stop. What is no request is answered by `quiet_handler.py`.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from servicekit.few_a_turn import FewATurn
from servicekit.http.access_log import AccessLog
from servicekit.http.answer_headers import ANSWER_HEADERS
from servicekit.http.client_networks import CLIENT_NETWORKS, ClientNetworks
from servicekit.http.connections import Connections
from servicekit.http.current_app import CurrentApp, Use
from servicekit.http.draining import close_listener, end_connections
from servicekit.http.limited_handler import FIRST_BYTE_SECONDS, HEAD_SECONDS, MARGIN
from servicekit.http.quiet_handler import LONGEST_LINE, Headers, QuietHandler
from servicekit.http.request_heads import LARGEST_HEAD
from servicekit.logs import log_event

# What a person waits for at most; an orchestrator's grace period must be longer.
DRAIN_SECONDS: Final = 20
# Longer than a load balancer keeps its own (60 s are usual): who sends must be the one to close, or a request meets the
# end of its connection, and nobody may repeat it.
KEEP_ALIVE_SECONDS: Final = 75
# What remains of the wait for a connection once it has been waited for.
_AT_ONCE_SECONDS: Final = 0.01
# Whose first bytes are read in one turn of the event loop: about two milliseconds of work with all that a request is.
_NEWCOMERS: Final = 4
# 1,000 fields are more than anybody sends; the sum of their bytes bounds many small ones.
_MOST_FIELDS: Final = 1_000

_STRANGERS: Final = ClientNetworks()

_log = logging.getLogger(__name__)


class _QuietServer(web.Server):
    largest_head = LARGEST_HEAD
    head_seconds = HEAD_SECONDS
    first_byte_seconds = FIRST_BYTE_SECONDS
    limited = Connections()
    newcomers: FewATurn | None = None
    headers: Headers = dict

    def __call__(self) -> RequestHandler:
        handler = QuietHandler(self, loop=self._loop, **self._kwargs)
        handler.largest_unread = MARGIN * self.largest_head
        handler.headers = self.headers
        handler.connections = self.limited
        handler.newcomers = self.newcomers
        handler.head_seconds = self.head_seconds
        handler.first_byte_seconds = self.first_byte_seconds
        handler.heard_at = self._loop.time()
        return handler


class QuietRunner(web.AppRunner):
    """An AppRunner whose connections are quiet, and which leaves compressed bodies compressed.

    `service` names the access log's logger, so that it is one of ours: those of outer libraries are kept at WARNING.
    None is for what is asked all the time, and has no access log.
    `largest_head` is how many bytes of header fields the application takes, which must come within `head_seconds`, and
    the first of them within `first_byte_seconds`, unless one of our own proxies connected;
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
        first_byte_seconds: float = FIRST_BYTE_SECONDS,
    ) -> None:
        super().__init__(
            app,
            access_log_class=AccessLog,
            access_log=logging.getLogger(f"{service}.access") if service else None,
            shutdown_timeout=drain_seconds,
            keepalive_timeout=keep_alive_seconds,
            max_line_size=LONGEST_LINE,
            max_field_size=MARGIN * largest_head,
            max_headers=_MOST_FIELDS,
            auto_decompress=False,
        )
        self._largest_head = largest_head
        self._head_seconds = head_seconds
        self._first_byte_seconds = first_byte_seconds
        self.connections = Connections()
        self._drain_seconds = drain_seconds
        self._current: CurrentApp
        self._leaving: set[asyncio.Task[None]] = set()

    def networks(self) -> ClientNetworks:
        """Return whom connections are counted with, by the settings of now."""
        return self._app.get(CLIENT_NETWORKS, _STRANGERS)

    def _headers(self) -> Mapping[str, str]:
        return self._app.get(ANSWER_HEADERS, {})

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
        use = self._current.exchange(fresh.server.request_handler)
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
        self._current = CurrentApp(server.request_handler)
        quiet = _QuietServer(
            self._current,  # type: ignore[arg-type]  # our connections know what it is
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            **server._kwargs,  # noqa: SLF001 - aiohttp offers no way to name the handler's class
        )
        quiet.largest_head = self._largest_head
        quiet.head_seconds = self._head_seconds
        quiet.first_byte_seconds = self._first_byte_seconds
        quiet.limited = self.connections
        quiet.newcomers = FewATurn(_NEWCOMERS)
        quiet.headers = self._headers
        return quiet
