"""One stream of server-sent events (HTML Living Standard, section 9.2), as long as a page listens.

Owns how it is written: its beginning by the handler, everything after that by whoever looks at its session, at once and
without waiting for its reader; its signs of life, its end, and when the page is told to come back.
The handler and all that surrounds it are through once the stream has begun: no frame of theirs, and no session, is kept
for a page that only listens.
Never says what is new (`watch.py`), and never holds more for a reader than one that reads has taken before.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from gateway.session.stream_wheel import Seat
from gateway.session.watch import SessionEvent, SessionWatch
from gateway.store.names import SessionRef
from gateway.store.redis.budget import redis_budget
from servicekit.http.departures import Ending, break_off
from servicekit.logs import log_event

_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream",
    hdrs.CACHE_CONTROL: "no-store",
    # Some proxies keep an answer back until it is complete, which this one never is.
    "X-Accel-Buffering": "no",
}
_HEARTBEAT: Final = b":\n\n"
_MOST_UNREAD: Final = 65_536
"""Bytes that wait for a reader; an event has some hundred."""
_SOON_MILLISECONDS: Final = (2000, 5000)
_BACK_A_SECOND: Final = 250
"""Coming back costs us about a millisecond of computing: so many leave most of a core to everybody else."""

_log = logging.getLogger(__name__)


class EventStream(web.StreamResponse):
    """The answer: it is complete when `over` is done."""

    def __init__(self) -> None:
        super().__init__(headers=_HEADERS)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def begin(self, request: web.Request, first: bytes) -> None:
        """Send the head and what comes first; raises ConnectionError."""
        if request.version >= HttpVersion11:
            self.enable_chunked_encoding()
        await self.prepare(request)
        await self.write(first)
        # They are sent, and take an eighth of the memory of a page that listens; what is counted asks for this one.
        self.headers.clear()
        self.headers[hdrs.CONTENT_TYPE] = _HEADERS[hdrs.CONTENT_TYPE]

    async def write_eof(self, data: bytes = b"") -> None:
        """Wait for the end, and send it: aiohttp asks for it as soon as the handler is through."""
        await self.over
        await super().write_eof(data)


class StreamSeat(Seat):
    """A stream on the wheel.

    `heartbeat` is how many seconds of silence it breaks, `ends_at` (monotonic) when its life is over, and
    `redis_seconds` what one look may wait for Redis. `others` tells how many streams would end with this one, if the
    process did; `leave` is called once it has ended, whoever ended it.
    """

    __slots__ = (
        "_ends_at",
        "_heartbeat",
        "_is_behind",
        "_leave",
        "_monotonic",
        "_others",
        "_redis_seconds",
        "_request",
        "_watch",
        "answer",
    )

    def __init__(
        self,
        ref: SessionRef,
        request: web.Request,
        watch: SessionWatch,
        *,
        heartbeat: float,
        ends_at: float,
        monotonic: Callable[[], float],
        redis_seconds: float,
        others: Callable[[], int],
        leave: Callable[["StreamSeat"], None],
    ) -> None:
        super().__init__(ref)
        self._request = request
        self._watch = watch
        self._heartbeat = heartbeat
        self._ends_at = ends_at
        self._monotonic = monotonic
        self._redis_seconds = redis_seconds
        self._others = others
        self._leave = leave
        self._is_behind = False
        self.answer = EventStream()
        self.answer.over.add_done_callback(self._left)
        if departure := self._departure():
            departure.listeners.add(self.end)

    async def begin(self, first: Iterable[SessionEvent]) -> None:
        """Send the head and what the first look found; raises ConnectionError."""
        await self.answer.begin(self._request, come_back(self._others()) + _drawn(first))
        self._is_silent_from(self._monotonic())
        self._note()

    async def look(self) -> None:
        """Look at the session, and say what is new."""
        # The request's own budget was for beginning; a stream that lives on it would be blind after some looks.
        with redis_budget(self._redis_seconds):
            news = await self._watch.look()
        if news:
            self._say(_drawn(news))
        self._note()

    def speak(self, now: float) -> None:
        """Give a sign of life, or end; whoever took nothing of the one before is not there any more."""
        transport = self._request.transport
        if transport is None or transport.is_closing():
            self.end()
        elif now >= self._ends_at:
            self._say(come_back(0))
            self.end()
        elif not transport.get_write_buffer_size():
            self._is_behind = False
            self._say(_HEARTBEAT)
        elif self._is_behind:
            break_off(self._request)
        else:
            self._is_behind = True
            self._is_silent_from(now)

    def stop(self) -> None:
        """End with the process, and with all the others."""
        self._say(come_back(self._others()))
        self.end()

    def fail(self, fault: Exception) -> None:
        """End like any other: an answer that has begun cannot become a problem any more."""
        log_event(_log, logging.ERROR, "event-stream-failed", fault=fault, session=self.ref.short)
        self.end()

    def end(self) -> None:
        """End the answer in good order."""
        if not self.answer.over.done():
            self.answer.over.set_result(None)

    def _note(self) -> None:
        """Note what was found."""
        self.mark, self.changes_at = self._watch.mark, self._watch.changes_at
        if self._watch.over:
            self.end()

    def _say(self, piece: bytes) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing() or self.answer.over.done():
            return
        if transport.get_write_buffer_size() > _MOST_UNREAD:
            break_off(self._request)
            return
        transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self.answer.chunked else piece)
        self._is_silent_from(self._monotonic())

    def _is_silent_from(self, now: float) -> None:
        self.speaks_at = min(now + self._heartbeat, self._ends_at)

    def _departure(self) -> Ending | None:
        """Return what tells that the reader leaves; None behind a server that is not ours."""
        departure = getattr(self._request.protocol, "departure", None)
        return departure if isinstance(departure, Ending) else None

    def _left(self, _over: object) -> None:
        if departure := self._departure():
            departure.listeners.discard(self.end)
        self._leave(self)


def come_back(others: int) -> bytes:
    """Return in how long a page comes back: spread, so that those who end together do not come together.

    No dispatch is asked for: browsers take the number as soon as its line has ended.
    """
    first, last = _SOON_MILLISECONDS
    last = max(last, first + 1000 * others // _BACK_A_SECOND)
    return f"retry: {random.randint(first, last)}\n".encode()  # noqa: S311 - nothing is secret about it


def _drawn(events: Iterable[SessionEvent]) -> bytes:
    """Return events as they travel; one without a name is an id alone."""
    drawn = ""
    for event in events:
        if event.name:
            drawn += f"event: {event.name}\ndata: {json.dumps(event.data)}\n"
        drawn += f"id: {event.id}\n\n"
    return drawn.encode()
