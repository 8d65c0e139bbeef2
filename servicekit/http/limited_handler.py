"""A connection of a client, as far as it is counted and may be closed.

Owns whether it is in the middle of a request, and the time for its first byte and for the head of a request.
Never decides which connection makes room (`connections.py`), and never reads what a request says.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, cast

from aiohttp import hdrs, web
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from servicekit.http.connections import Connections
from servicekit.http.departures import Ending

HEAD_SECONDS: Final = 10.0
"""From the first byte of a head to its last, as for a body."""
MOST_AT_ONCE: Final = 16_384
"""Bytes that are read in one turn of the event loop: in chunks of one byte they take milliseconds to parse already."""
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
FIRST_BYTE_SECONDS: Final = 10.0
"""From the connection to its first byte. One of our own proxies may connect in advance: it has the keep-alive time."""


class LimitedHandler(RequestHandler):
    """A connection that is counted, and may be closed to make room while it is in no request."""

    connections = Connections()
    head_seconds = HEAD_SECONDS
    first_byte_seconds = FIRST_BYTE_SECONDS
    network: str | None = None
    """The network that it is counted by; None for one of our own proxies."""
    joining: "asyncio.Task[None] | None" = None
    """What makes a connection of a descriptor, by TLS perhaps."""
    is_joining = False
    departure: Ending
    """Tells that the client has left."""
    _way: asyncio.Transport | None = None
    _late_head: asyncio.TimerHandle | None = None
    _was_silent = True
    _is_answered = False
    _unwanted: StreamReader | None = None
    """What is left of a body in chunks, once its request was answered without it."""

    @property
    def is_unused(self) -> bool:
        """Whether it is in no request: on its way in, or waiting for a head, half of which may be there."""
        if self._way is None:
            return self.is_joining
        return self._is_between_requests and not self._way.get_write_buffer_size()

    @property
    def is_lingering(self) -> bool:
        """Whether it was answered, and only the rest of a body that nobody wants is still awaited."""
        return self._is_answered and self._waiter is None and not self._messages and not self.is_unread

    @property
    def is_unread(self) -> bool:
        """Whether its reader has yet to take more of an answer than the system has room for."""
        return self._way is not None and self._way.get_write_buffer_size() > 0

    @property
    def _is_between_requests(self) -> bool:
        return self._waiter is not None and not self._waiter.done() and not self._messages

    def abandon(self) -> None:
        """Close it without waiting for anybody, be it a reader or the end of TLS."""
        if self._way is not None:
            self._way.abort()
        elif self.joining:
            self.joining.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, where that was not done when it was accepted."""
        self.departure = Ending()
        super().connection_made(transport)
        self._way = cast("asyncio.Transport", transport)  # aiohttp forgets it where it begins to close
        if hasattr(transport, "max_size"):  # of TCP; that of TLS has its own
            transport.max_size = MOST_AT_ONCE
        self.connections.add(self)
        if self.network:
            self._late_head = self._loop.call_later(self.first_byte_seconds, self._end_silence)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        self._stop_waiting_for_a_head()
        self.departure.tell()
        super().connection_lost(exc)
        self._way = None
        self.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        """Read, and give the rest of a head its time."""
        self.connections.heard_of(self)
        if self._was_silent and data:
            self._was_silent = False
            self._stop_waiting_for_a_head()
        if self._unwanted is not None:
            if data.endswith(_LAST_CHUNK):
                self._unwanted.feed_eof()
            return
        super().data_received(data)
        if not self._is_between_requests:
            self._stop_waiting_for_a_head()
        elif self._late_head is None and data:
            self._late_head = self._loop.call_later(self.head_seconds, self._end_head)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer, and say that this is the end of the connection where others need its place.

        A client that is told so asks on another one; one whose connection just ends may have sent the next request.
        It is the end as well where chunks are left that nobody wants: a million of one byte would take a second of the
        parser's time, and everybody else's.
        """
        self.connections.heard_of(self)
        has_chunks = hdrs.TRANSFER_ENCODING in request.headers and not request.content.is_eof()
        if has_chunks or self.connections.is_crowded_for(self):
            resp.force_close()
        finished = await super().finish_response(request, resp, start_time)
        self.connections.heard_of(self)
        self._is_answered = True
        if has_chunks:
            self._unwanted = request.content
        return finished

    def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Note that a request has begun, in the moment that it is taken from the line."""
        self._is_answered = False
        return super()._handle_request(request, start_time, request_handler)

    def _stop_waiting_for_a_head(self) -> None:
        if self._late_head is not None:
            self._late_head.cancel()
            self._late_head = None

    def _end_silence(self) -> None:
        """Close without an answer: there was no request, and a browser that connects in advance would show it."""
        self._late_head = None
        self.abandon()

    def _end_head(self) -> None:
        self._late_head = None
        if self._is_between_requests and self._waiter is not None:
            self._messages.append((_ErrInfo(408, TimeoutError("head"), ""), EMPTY_PAYLOAD))
            self._waiter.set_result(None)
