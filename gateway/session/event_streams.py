"""Server-sent events about sessions (HTML Living Standard, section 9.2): the streams that are open in this process.

Owns the form of the stream, how long one lasts, how many there may be, and that all of them end when the process
does, so that nobody waits for them.
Never prolongs a session, and never holds a connection to Redis: each stream looks at its session now and then, and
while Redis is away it keeps quiet.
"""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from gateway.counts import Counts
from gateway.errors import SessionStoreUnavailable, TooManyRequests
from gateway.session.sessions import LiveSession, SessionStore
from gateway.session.watch import SessionEvent, SessionWatch
from gateway.store.redis.budget import redis_budget
from servicekit.http.admission import give_place_back
from servicekit.logs import log_event

_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream",
    hdrs.CACHE_CONTROL: "no-store",
    # Some proxies keep an answer back until it is complete, which this one never is.
    "X-Accel-Buffering": "no",
}
_HEARTBEAT: Final = b":\n\n"
# Spread out, or all pages would come back in the same moment after a deployment.
_RETRY_MILLISECONDS: Final = (2000, 5000)
_REFUSED_SECONDS: Final = 30

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What one stream costs at most, and how many there may be; times in seconds."""

    look: float = 5
    """Between two looks at the session; an event comes that late at most."""
    heartbeat: float = 15
    """Of silence: proxies close what is silent for half a minute or longer."""
    life: float = 600
    """Then the browser comes back by itself, perhaps to another process."""
    of_session: int = 4
    """A browser has six connections to a host over HTTP/1.1, for all its windows."""
    of_process: int = 500
    """Half of the descriptors that a process has on most systems."""


STREAM_LIMITS: Final = StreamLimits()


class EventStreams:
    """The streams that are open in this process.

    `access` says what a session may do, for which it needs the records `fields`; `now` is the wall clock in seconds,
    `monotonic` the one that streams age by;
    `warning` is how many seconds before its end a session is said to expire, `redis_seconds` what one look may wait
    for Redis.
    """

    def __init__(
        self,
        sessions: SessionStore,
        access: Callable[[LiveSession], Awaitable[str]],
        *,
        fields: Sequence[str] = (),
        now: Callable[[], float],
        monotonic: Callable[[], float],
        warning: float,
        redis_seconds: float,
        limits: StreamLimits = STREAM_LIMITS,
        counts: Counts | None = None,
    ) -> None:
        self._sessions = sessions
        self._access = access
        self._fields = fields
        self._now = now
        self._monotonic = monotonic
        self._warning = warning
        self._redis_seconds = redis_seconds
        self._limits = limits
        self._counts = counts or Counts()
        self._open: dict[str, list[web.Request]] = {}
        self._stopping = asyncio.Event()

    def count(self) -> int:
        """Return how many streams are open."""
        return sum(map(len, self._open.values()))

    def stop(self) -> None:
        """End every stream now, and each new one as soon as it began; browsers come back to whoever serves then."""
        self._stopping.set()

    async def serve(self, request: web.Request, session: LiveSession) -> web.StreamResponse:
        """Tell the request's page about its session until either ends.

        Raises TooManyRequests and SessionStoreUnavailable, nothing after the answer began.
        """
        watch = SessionWatch(
            self._sessions, self._access, session, now=self._now, warning=self._warning, fields=self._fields
        )
        with self._place(request, session.ref.family):
            first = await watch.begin(request.headers.get("Last-Event-ID", ""))
            response = web.StreamResponse(headers=_HEADERS)
            with _to_the_end(session):
                await response.prepare(request)
                await response.write(_retry() + _drawn(first))
                give_place_back(request)
                await self._tell(request, response, watch)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse, watch: SessionWatch) -> None:
        began = spoke = self._monotonic()
        while not watch.over and not await self._stopped_while_waiting() and _is_heard(request):
            piece = _drawn(await self._look(watch))
            now = self._monotonic()
            if not piece and now - began >= self._limits.life:
                return
            if not piece and now - spoke >= self._limits.heartbeat:
                piece = _HEARTBEAT
            if piece:
                spoke = now
                await response.write(piece)

    async def _look(self, watch: SessionWatch) -> list[SessionEvent]:
        try:
            # The request's own budget was for beginning; a stream that lives on it would be blind after some looks.
            with redis_budget(self._redis_seconds):
                return await watch.look()
        except SessionStoreUnavailable:
            return []

    async def _stopped_while_waiting(self) -> bool:
        try:
            async with asyncio.timeout(self._limits.look):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    @contextmanager
    def _place(self, request: web.Request, family: str) -> Iterator[None]:
        """Count a stream while the block runs; a page that was closed a moment ago takes no place away."""
        mine = self._open.setdefault(family, [])
        heard = sum(map(_is_heard, mine))
        if heard >= self._limits.of_session or self.count() >= self._limits.of_process:
            self._forget_empty(family)
            raise TooManyRequests(
                "Too many pages listen already. Ask GET /api/session instead.", retry_after=_REFUSED_SECONDS
            )
        mine.append(request)
        self._counts.streams_open(self.count())
        try:
            yield
        finally:
            mine.remove(request)
            self._forget_empty(family)
            self._counts.streams_open(self.count())

    def _forget_empty(self, family: str) -> None:
        if not self._open[family]:
            del self._open[family]


@contextmanager
def _to_the_end(session: LiveSession) -> Iterator[None]:
    """Let a stream that fails end like any other: an answer that has begun cannot become a problem any more."""
    try:
        yield
    except ConnectionError:
        pass  # nobody listens any more
    except Exception as fault:  # noqa: BLE001 - the last resort, as in the middleware that draws problems
        log_event(_log, logging.ERROR, "event-stream-failed", fault=fault, session=session.ref.short)


def _is_heard(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _retry() -> bytes:
    return f"retry: {random.randint(*_RETRY_MILLISECONDS)}\n".encode()  # noqa: S311 - nothing is secret about it


def _drawn(events: Iterable[SessionEvent]) -> bytes:
    """Return events as they travel; one without a name is an id alone."""
    drawn = ""
    for event in events:
        if event.name:
            drawn += f"event: {event.name}\ndata: {json.dumps(event.data)}\n"
        drawn += f"id: {event.id}\n\n"
    return drawn.encode()
