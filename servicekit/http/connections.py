"""The connections of clients: how many there are, and which of them makes room for the next.

Owns the count, the order in which connections were heard of, and the time for the head of a request. A connection that
is not in the middle of a request, whether it said nothing, half of a head, or was answered, is closed where the next
one needs its place: the one that kept quiet for longest goes first.
Never accepts one (`limited_site.py`), and never ends a request to make room, unless its reader lets the answer lie.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, cast

from aiohttp import web
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from servicekit.http.descriptors import MOST_CONNECTIONS
from servicekit.logs import log_event

HEAD_SECONDS: Final = 10.0
"""From the first byte of a head to its last, as for a body."""
# The next time that the limit is reached is worth a line only if it was left by so much meanwhile.
_LEFT: Final = 0.75

IN_USE_SECONDS: Final = 5.0
"""A connection that was quiet for less is one whose client may be about to ask again."""
UNREAD_SECONDS: Final = 30.0
"""An answer that its reader has not taken by then makes room; a slow network takes less for what we send."""
_CROWDED_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class Connections:
    """The connections of one server, `most` at a time; the one that was heard of longest ago comes first."""

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        self.most = most
        self.in_use_seconds = IN_USE_SECONDS
        self.unread_seconds = UNREAD_SECONDS
        self.closed_for_room = 0
        self.is_waited_for = False
        """Whether somebody waits outside, and all that there are work."""
        self._open: OrderedDict[LimitedHandler, float] = OrderedDict()
        self._crowded_until = 0.0
        self._on_room: Callable[[], None] = lambda: None
        self._is_known_to_be_full = False

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> "Iterator[LimitedHandler]":
        """Go through those that there are now."""
        return iter(list(self._open))

    @property
    def is_crowded(self) -> bool:
        """Whether those that make room are still in use, or none can: whoever is answered now had better come anew."""
        return self.is_waited_for or time.monotonic() < self._crowded_until

    def when_there_is_room(self, call: Callable[[], None]) -> None:
        """Call this when a connection ended while somebody waited."""
        self._on_room = call

    def add(self, connection: "LimitedHandler") -> None:
        """Count a connection, from the moment that it has a descriptor."""
        self._open.setdefault(connection, time.monotonic())

    def heard_of(self, connection: "LimitedHandler") -> None:
        """Note that there was something just now; what was closed to make room is not counted again."""
        if connection in self._open:
            self._open[connection] = time.monotonic()
            self._open.move_to_end(connection)

    def remove(self, connection: "LimitedHandler") -> None:
        """Count a connection no more."""
        self._open.pop(connection, None)
        if len(self._open) < _LEFT * self.most:
            self._is_known_to_be_full = False
        if self.is_waited_for:
            self.is_waited_for = False
            self._on_room()

    def room(self) -> "Callable[[], None] | None":
        """Return what makes room for one more connection, to be called once it is there; None where all work."""
        self.is_waited_for = False
        if len(self._open) < self.most:
            return _nothing
        if not self._is_known_to_be_full:
            self._is_known_to_be_full = True
            log_event(_log, logging.WARNING, "connections-at-limit", most=self.most)
        for _ in range(len(self._open)):
            connection = next(iter(self._open))
            if self._may_go(connection):
                return lambda: self._close(connection)
            self._open.move_to_end(connection)  # it works: it is asked again after all others
        self.is_waited_for = True
        return None

    def close_some(self, count: int) -> None:
        """Close the first ones of those that are not in the middle of a request, `count` at most."""
        for connection in [known for known in self._open if self._may_go(known)][:count]:
            self._close(connection)

    def _may_go(self, connection: "LimitedHandler") -> bool:
        if connection.is_unused:
            return True
        return connection.is_unread and self._open[connection] + self.unread_seconds < time.monotonic()

    def _close(self, connection: "LimitedHandler") -> None:
        heard_at = self._open.pop(connection, None)
        if heard_at is not None:
            self.closed_for_room += 1
            now = time.monotonic()
            if now < heard_at + self.in_use_seconds:
                self._crowded_until = now + _CROWDED_SECONDS
            connection.abandon()


def _nothing() -> None:
    """There is room as it is."""


class LimitedHandler(RequestHandler):
    """A connection that is counted, and may be closed to make room while it is in no request."""

    connections = Connections()
    head_seconds = HEAD_SECONDS
    joining: "asyncio.Task[None] | None" = None
    """What makes a connection of a descriptor, by TLS perhaps."""
    is_joining = False
    _way: asyncio.Transport | None = None
    _late_head: asyncio.TimerHandle | None = None

    @property
    def is_unused(self) -> bool:
        """Whether it is in no request: on its way in, or waiting for a head, half of which may be there."""
        if self._way is None:
            return self.is_joining
        return self._is_between_requests and not self._way.get_write_buffer_size()

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
        super().connection_made(transport)
        self._way = cast("asyncio.Transport", transport)  # aiohttp forgets it where it begins to close
        self.connections.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it no more."""
        self._stop_waiting_for_a_head()
        super().connection_lost(exc)
        self._way = None
        self.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        """Read, and give the rest of a head its time."""
        self.connections.heard_of(self)
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
        """
        self.connections.heard_of(self)
        if self.connections.is_crowded:
            resp.force_close()
        finished = await super().finish_response(request, resp, start_time)
        self.connections.heard_of(self)
        return finished

    def _stop_waiting_for_a_head(self) -> None:
        if self._late_head is not None:
            self._late_head.cancel()
            self._late_head = None

    def _end_head(self) -> None:
        self._late_head = None
        if self._is_between_requests and self._waiter is not None:
            self._messages.append((_ErrInfo(408, TimeoutError("head"), ""), EMPTY_PAYLOAD))
            self._waiter.set_result(None)
