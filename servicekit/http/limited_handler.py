"""A connection of a client, as far as it is counted and may be closed.

Owns whether it is in the middle of a request, and the time for its first byte and for the head of a request, which has
a largest length.
Never decides which connection makes room (`connections.py`), and never reads what a request says.
"""

import asyncio
import math
from typing import Final, cast

from aiohttp import hdrs, web
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import _ErrInfo

from servicekit.few_a_turn import FewATurn
from servicekit.http.connections import Connections
from servicekit.http.departures import Ending
from servicekit.http.descriptors import MOST_CONNECTIONS
from servicekit.http.request_heads import LARGEST_HEAD
from servicekit.http.task_per_request import TaskPerRequest

HEAD_SECONDS: Final = 10.0
"""From the first byte of a head to its last, as for a body."""
MOST_AT_ONCE: Final = 16_384
"""Bytes that are read in one turn of the event loop: in chunks of one byte they take milliseconds to parse already."""
MARGIN: Final = 4
"""How many times too much is read, so that the service itself can answer it."""
# Several signs of life count as one within this share of the time in which a connection counts as used.
_MOMENT: Final = 1 / 50
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
FIRST_BYTE_SECONDS: Final = 10.0
"""From the connection to its first byte. One of our own proxies may connect in advance: it has the keep-alive time."""


class LimitedHandler(TaskPerRequest):
    """A connection that is counted, and may be closed to make room while it is in no request."""

    connections = Connections()
    newcomers: FewATurn | None = None
    """The line in which the first bytes of each connection are read, where there is one."""
    head_seconds = HEAD_SECONDS
    first_byte_seconds = FIRST_BYTE_SECONDS
    largest_unread = MARGIN * LARGEST_HEAD
    """Bytes that may come before a head is complete."""
    unread = 0
    heard_at = 0.0
    network: str | None = None
    """The network that it is counted by; None for one of our own proxies."""
    joining: "asyncio.Task[None] | None" = None
    """What makes a connection of a descriptor, by TLS perhaps."""
    is_joining = False
    departure: Ending
    """Tells that the client has left."""
    _way: asyncio.Transport | None = None
    _late_head: asyncio.TimerHandle | None = None
    _rest = b""
    """What came in one turn of the loop and is read in others."""
    _was_silent = True
    _tells_again_at = -math.inf
    _unwanted: StreamReader | None = None
    """What is left of a body in chunks, once its request was answered without it."""

    @property
    def is_unused(self) -> bool:
        """Whether it is in no request: on its way in, or waiting for a head, half of which may be there."""
        if self._way is None:
            return self.is_joining
        return self._is_between_requests and not self._rest and not self._way.get_write_buffer_size()

    @property
    def is_lingering(self) -> bool:
        """Whether it was answered, and only the rest of a body that nobody wants is still awaited."""
        return self.is_answered and self.is_at_work and not self._messages and not self.is_unread

    @property
    def is_unread(self) -> bool:
        """Whether its reader has yet to take more of an answer than the system has room for."""
        return self._way is not None and self._way.get_write_buffer_size() > 0

    @property
    def _is_between_requests(self) -> bool:
        return not self.is_at_work and not self._messages

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
        """Read a little of what came, and the rest in the turns that follow.

        asyncio's own loop is told to read no more in one turn; libuv hands over a quarter of a megabyte, many times.
        """
        if self._was_silent and data:
            self._was_silent = False
            self._stop_waiting_for_a_head()
            if self.newcomers is not None and not self.newcomers.begin(self._read_on):
                self._rest = data
                self._pause_transport_reading()
                return
        if not data or (not self._rest and len(data) <= MOST_AT_ONCE):
            self._read(data)
            self.begin_next()
            return
        is_going_on = bool(self._rest)
        self._rest += data
        if not is_going_on:
            self._read_on()

    def _read_on(self) -> None:
        if self._way is None:  # it was lost meanwhile
            return
        piece, self._rest = self._rest[:MOST_AT_ONCE], self._rest[MOST_AT_ONCE:]
        if self._rest:
            self._pause_transport_reading()
            self._loop.call_soon(self._read_on)
        elif not self._reading_paused and not self._buffer_paused:
            self._resume_transport_reading()
        self._read(piece)
        self.begin_next()

    def _read(self, data: bytes) -> None:
        """Read, have it judged, and bound what is no whole head yet: by its time, and by its length."""
        now = self.heard_at = self._loop.time()
        if now >= self._tells_again_at:
            self._tell_of_life(now)
        if self._unwanted is not None:
            if data.endswith(_LAST_CHUNK):
                self._unwanted.feed_eof()
            return
        line = self._messages
        judged = len(line)
        super().data_received(data)
        if len(line) > judged:
            self._judge(judged)
        if line or self.is_at_work:
            self.unread = 0
            if self._late_head is not None:
                self._stop_waiting_for_a_head()
        elif data:
            self._wait_for_a_head(len(data))

    def _judge(self, first: int) -> None:
        """Judge the requests in the line, from the `first` that is new."""

    def _wait_for_a_head(self, more: int) -> None:
        """Give the rest of a head its time, and its room: so many bytes more have come of it."""
        self.unread += more
        if self.unread > self.largest_unread:
            self.unread = 0
            self._messages.append((_ErrInfo(431, ValueError("head"), ""), EMPTY_PAYLOAD))
        elif self._late_head is None:
            self._late_head = self._loop.call_later(self.head_seconds, self._end_head)

    def is_last_answer(self, request: web.BaseRequest, payload: StreamReader) -> bool:
        """Tell whether this is the end of the connection, as others need its place.

        A client that is told so asks on another one; one whose connection just ends may have sent the next request.
        It is the end as well where chunks are left that nobody wants: a million of one byte would take a second of the
        parser's time, and everybody else's.
        """
        has_chunks = not payload.is_eof() and hdrs.TRANSFER_ENCODING in request.headers
        return has_chunks or self.connections.is_crowded_for(self)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer by and by, and note that this begins only now."""
        self._tell_of_life(self._loop.time())
        return await super().finish_response(request, resp, start_time)

    def after_answer(self, request: web.BaseRequest, unread: StreamReader | None) -> None:
        """Note that its reader took it, as far as there was no room for it."""
        now = self._loop.time()
        if now >= self._tells_again_at:
            self._tell_of_life(now)
        if unread is not None and hdrs.TRANSFER_ENCODING in request.headers:
            self._unwanted = unread

    def _tell_of_life(self, now: float) -> None:
        """Tell the others of a sign of life; a moment later again: seconds are what matters to them."""
        self._tells_again_at = now + _MOMENT * self.connections.in_use_seconds
        self.connections.heard_of(self)

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
        if self._is_between_requests:
            self._messages.append((_ErrInfo(408, TimeoutError("head"), ""), EMPTY_PAYLOAD))
            self.begin_next()


def connections_of(request: web.BaseRequest) -> int:
    """Return how many connections the request's server takes; those of a server that is not ours have no limit."""
    connections = getattr(request.protocol, "connections", None)
    return connections.most if isinstance(connections, Connections) else MOST_CONNECTIONS
