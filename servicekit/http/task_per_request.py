"""A connection of a server on which each request is one task, and nothing else runs.

Owns taking requests from the line, one after the other, from the moment that one is read to the moment that the next
may begin. aiohttp has a task for the connection as well, which waits for each request and then for the request's own
task: two futures and two turns of the event loop, which cost as much as reading the request.
All the rest is aiohttp's: reading, the request's object, errors, answers, upgrades, time-outs, shutdown.
Never judges a request, and never closes a connection that aiohttp would keep.

What of aiohttp's inside this relies on is said in `docs/explanation/decisions/2026-11-27-a-task-for-each-request.md`,
and held by `tests/unit/servicekit/http/test_task_per_request.py`.
"""

import asyncio
import contextlib
import contextvars
import functools
import sys
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from aiohttp.http import HttpProcessingError, StreamWriter
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import _PAYLOAD_ACCESS_ERROR, ERROR, RequestHandler, _ErrInfo

from servicekit.http.answers import Answer
from servicekit.http.current_app import CurrentApp, Handler

PARTING_SECONDS: Final = 2.0
"""For the rest of a head that was refused, and for its client to read why."""


class _Nobody:
    """Stands where aiohttp's task would wait for the next request: there is none to be told or stopped."""

    def done(self) -> bool:
        """Say that the connection is idle."""
        return False

    def set_result(self, _result: None) -> None:
        """Wake nobody."""

    def cancel(self) -> None:
        """Stop nobody."""


SHORT_BYTES: Final = 16_384
"""Of an answer that goes out with those of others: so much never fills what a connection holds."""
_NOBODY: Final[Any] = _Nobody()
_CAN_BEGIN_AT_ONCE: Final = sys.version_info >= (3, 12)
"""Whether a task can run in the turn of the event loop that makes it."""


class TaskPerRequest(RequestHandler):
    """A connection whose requests are tasks, each in a context of its own; whoever reads calls `begin_next`.

    What its server has in the place of a handler is a CurrentApp.
    """

    _outside: contextvars.Context
    """The context of the connection: what a request sets, the next one never sees."""
    _was_refused = False
    """Whether the parser, or whoever judges what it read, took no more of it."""
    is_answered = False
    """Whether the request that was begun last is."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for requests from now on."""
        self._outside = contextvars.copy_context()
        self._waiter = _NOBODY
        super().connection_made(transport)

    async def start(self) -> None:
        """Do nothing: what aiohttp begins with each connection is not needed."""

    @property
    def is_at_work(self) -> bool:
        """Whether a request is under way."""
        return self._waiter is None

    def data_received(self, data: bytes) -> None:
        """Put the requests that came into the line; what follows an upgrade is aiohttp's to read."""
        if self._payload_parser is not None or self._upgraded or self._parser is None:
            super().data_received(data)
            return
        if self._force_close or self._close:
            return
        messages: Sequence[Any]
        try:
            messages, self._upgraded, tail = self._parser.feed_data(data)
        except HttpProcessingError as error:
            messages, tail = [(_ErrInfo(400, error, error.message), EMPTY_PAYLOAD)], b""
        if messages:
            self._request_count += len(messages)
            self._messages.extend(messages)
            if not self._buffer_paused and len(self._messages) >= self._max_msg_queue_size:
                self._pause_reading_for_buffer()
        if tail:
            self._message_tail = tail

    def begin_next(self) -> None:
        """Begin the first request in line, unless one is under way or the connection ends."""
        if self._waiter is None or not self._messages or self._close or self._force_close:
            return
        self._waiter, self.is_answered = None, False
        request, payload, app, refusal = self._next_request()
        self._current_request, self._request_in_progress = request, True
        began = self._loop.time() if self._logging_enabled else None
        serving, context = self._serve(request, payload, app, refusal, began), self._outside.copy()
        if _CAN_BEGIN_AT_ONCE:  # as aiohttp does it
            task = asyncio.Task(serving, loop=self._loop, context=context, eager_start=True)  # type: ignore[call-arg]
        else:
            task = self._loop.create_task(serving, context=context)
        self._task_handler = None if task.done() else task

    def _next_request(self) -> tuple[web.BaseRequest, StreamReader, CurrentApp, Handler | None]:
        """Take a request from the line, and let the parser go on; return it, its body, and who answers or refuses."""
        message, payload = self._messages.popleft()
        app: Any = self._request_handler
        manager, make, refusal = self._manager, self._request_factory, None
        if self._parser is None or manager is None or make is None:
            raise RuntimeError("lost")  # pragma: no cover - for the types: a lost connection begins nothing
        self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        manager.requests_count += 1
        if isinstance(message, _ErrInfo):
            refusal, message, self._was_refused = self._make_error_handler(message), ERROR, True
        # Nobody asks a request for its task, which begins only now.
        task: Any = None
        return make(message, payload, self, StreamWriter(self, self._loop), task), payload, app, refusal

    async def _serve(
        self,
        request: web.BaseRequest,
        payload: StreamReader,
        app: CurrentApp,
        refusal: Handler | None,
        began: float | None,
    ) -> None:
        """Answer a request, and see to what follows it."""
        stays = is_later = False
        try:
            use = app.use
            use.under_way += 1
            try:
                response = await (refusal or use.handler)(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
                response = self._response_to(request, error)
            finally:
                use.one_less()
            self._current_request = None
            if app.answers_are_last or self.is_last_answer(request, payload):
                response.force_close()
            if type(response) is Answer and response.goes_whole(request) and not self._upgraded:
                if self._goes_with_others(request, response, payload):
                    is_later, context = True, contextvars.copy_context()
                    app.end_of_turn.add(
                        functools.partial(context.run, self._send_later, request, response, payload, began)
                    )
                    return
                has_left = self._send_whole(request, response) or (
                    self._paused and await self._has_left(request)
                )
                self.log_access(request, response, began)
            else:
                response, has_left = await self.finish_response(request, response, began)
            self.is_answered = True
            is_unread = not payload.is_eof()
            self.after_answer(request, payload if is_unread else None)
            if not has_left:
                stays = self._keepalive = bool(response.keep_alive)
                if is_unread:
                    await self._read_rest(payload)
                payload.set_exception(_PAYLOAD_ACCESS_ERROR)
        except Exception as error:  # noqa: BLE001 - the last resort of a task that nobody awaits
            stays = False
            self._fail(error)
        except BaseException:
            self.force_close()
            raise
        finally:
            self._task_handler = None
            if not is_later:
                self._be_idle()
        self._go_on(stays=stays)

    def _goes_with_others(self, request: web.BaseRequest, answer: Answer, payload: StreamReader) -> bool:
        """Tell whether an answer goes out at the end of the turn: nothing has to be waited for after it."""
        return (
            len(answer.body) <= SHORT_BYTES  # type: ignore[arg-type]  # it is of bytes
            and answer.keep_alive is not False
            and request.keep_alive
            and payload.is_eof()
            and not (self._paused or self._close or self._force_close)
        )

    def _send_later(
        self, request: web.BaseRequest, answer: Answer, payload: StreamReader, began: float | None
    ) -> None:
        """Send what was answered in this turn, at its end; until then the connection has a request under way."""
        stays = False
        try:
            stays = self._keepalive = not self._send_whole(request, answer)
            self.log_access(request, answer, began)
            self.is_answered = True
            self.after_answer(request, None)
            payload.set_exception(_PAYLOAD_ACCESS_ERROR)
        except Exception as error:  # noqa: BLE001 - the last resort: the answers of others follow
            stays = False
            self._fail(error)
        finally:
            self._be_idle()
        self._go_on(stays=stays)

    def _fail(self, error: Exception) -> None:
        """End the connection for a fault; where whoever asked has left, it has ended already."""
        if not isinstance(error, ConnectionError):
            self.log_exception("Unhandled exception", exc_info=error)
            self.force_close()

    def _be_idle(self) -> None:
        """Have no request under way any more; whoever waits for that is told."""
        self._current_request, self._request_in_progress = None, False
        if self._handler_waiter is not None:
            self._handler_waiter.set_result(None)

    def is_last_answer(self, _request: web.BaseRequest, _payload: StreamReader) -> bool:
        """Tell whether the connection ends with the answer that comes now; `_payload` is the body of its request."""
        return False

    def after_answer(self, request: web.BaseRequest, unread: StreamReader | None) -> None:
        """Hear that an answer was sent; `unread` is the body of its request, if the rest of that may be awaited."""

    def _response_to(self, request: web.BaseRequest, error: Exception) -> web.StreamResponse:
        """Return the answer to what a handler raised, as aiohttp has it; raises where an answer has begun."""
        if isinstance(error, web.HTTPException):
            return error
        return self.handle_error(request, 504 if isinstance(error, TimeoutError) else 500, error)

    def _send_whole(self, request: web.BaseRequest, answer: Answer) -> bool:
        """Send an answer that goes out in one piece; return whether nobody is there any more."""
        request._finish()  # noqa: SLF001 - the files of a form
        try:
            answer.send(request)
        except ConnectionError:
            return True
        return False

    async def _has_left(self, request: web.BaseRequest) -> bool:
        """Wait until the reader of an answer has taken some of it; return whether it left instead."""
        try:
            await request.writer.drain()
        except ConnectionError:
            return True
        return False

    async def _read_rest(self, payload: StreamReader) -> None:
        """Read what the client still sends of a body that nobody wanted, for a while: else it may miss the answer."""
        if self._lingering_time and not self._force_close:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lingering_time):
                    while not payload.is_eof():
                        await payload.readany()
        if not payload.is_eof() and not self._force_close:
            self.close()

    def _go_on(self, *, stays: bool) -> None:
        """End the connection, or let the time of an idle one begin, unless the next request is in line already."""
        if self._force_close:
            return
        if not stays or self._close:
            self._part()
            return
        until = self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(until, self._process_keepalive)
        self._waiter = _NOBODY
        if self._messages:
            # Others have their turn between two requests, however many of them came together.
            self._loop.call_soon(self.begin_next, context=self._outside)

    def _part(self) -> None:
        """End the connection: after a refusal once the client has, or a moment later.

        The rest of what was refused may be on its way. A system that closes what nobody has read takes back the answer
        as well, so at most our side is closed at once, which TLS does not know, and what comes is dropped (RFC 9112,
        section 9.6).
        """
        transport = self.transport
        if transport is None:
            return
        if not self._was_refused or transport.is_closing():
            transport.close()
            return
        self._close = True
        self._loop.call_later(PARTING_SECONDS, transport.close)
        if transport.can_write_eof():
            transport.write_eof()
