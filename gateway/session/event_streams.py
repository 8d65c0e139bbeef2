"""Server-sent events about sessions (HTML Living Standard, section 9.2): the streams that are open in this process.

Owns the form of the stream, how long one lasts, how many there may be, and that all of them end when the process
does, so that nobody waits for them.
Never prolongs a session, and never holds a connection to Redis: a stream looks at its session when the wheel wakes it,
and while Redis is away it keeps quiet.
"""

import asyncio
import json
import logging
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from gateway.counts import Counts
from gateway.errors import SessionStoreUnavailable
from gateway.session.sessions import LiveSession, SessionStore
from gateway.session.stream_wheel import Seat, StreamWheel
from gateway.session.watch import SessionEvent, SessionWatch
from gateway.store.marks import MARK_FIELDS
from gateway.store.names import digest_of
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Vault
from servicekit.errors import TooManyRequests
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
_SPREAD_OF_LIFE: Final = 0.1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What one stream costs at most, and how many there may be; times in seconds."""

    look: float = 5
    """Between two looks at the session's mark; an event comes that late at most."""
    rarely: float = 15
    """The same while Redis pushes what changes: for what it does not push, and for a hint that was lost."""
    heartbeat: float = 15
    """Of silence: proxies close what is silent for half a minute or longer."""
    life: float = 600
    """At most, spread over the last tenth; then the browser comes back by itself, perhaps to another process."""
    of_session: int = 4
    """A browser has six connections to a host over HTTP/1.1, for all its windows."""
    of_person: int = 20
    """Five browsers with as many each; a page listens only while it is in view. Whoever comes later asks now and then
    instead: were the oldest to make room, two pages would push each other out for ever."""
    of_process: int = 2000
    """Each takes a descriptor, about 40 kB and a thousandth of a percent of a core."""
    looks_at_once: int = 8
    """So that a burst of changes leaves the requests most of the connections to Redis."""


STREAM_LIMITS: Final = StreamLimits()


class EventStreams:
    """The streams that are open in this process.

    `access` says what a session may do, by name, for which it needs the records `fields`, and `access_until` how long
    that holds unless something is written (wall clock); `now` is the wall clock in seconds, `monotonic` the one that
    streams age by; `warning` is how many seconds before its end a session is said to expire, `redis_seconds` what one
    look may wait for Redis.
    """

    def __init__(
        self,
        sessions: SessionStore,
        vault: Vault,
        access: Callable[[LiveSession], Awaitable[Mapping[str, str]]],
        *,
        access_until: Callable[[LiveSession], float] = lambda _session: math.inf,
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
        self._access_until = access_until
        self._fields = (*fields, *MARK_FIELDS)
        self._now = now
        self._monotonic = monotonic
        self._warning = warning
        self._redis_seconds = redis_seconds
        self._limits = limits
        self._counts = counts or Counts()
        self._open: dict[str, list[Seat]] = {}
        self._of_persons: dict[str, list[Seat]] = {}
        self.wheel = StreamWheel(vault, now=now, monotonic=monotonic, look=limits.look, rarely=limits.rarely)
        """Wakes whoever is open in this process: sockets sit on it as well, as hints are heard once."""
        self._looking = asyncio.Semaphore(limits.looks_at_once)
        self._stopping = False

    def count(self) -> int:
        """Return how many streams are open."""
        return sum(map(len, self._open.values()))

    def stop(self) -> None:
        """End every stream now, and each new one as soon as it began; browsers come back to whoever serves then."""
        self._stopping = True
        self.wheel.stop()

    async def serve(self, request: web.Request, session: LiveSession) -> web.StreamResponse:
        """Tell the request's page about its session until either ends.

        Raises TooManyRequests and SessionStoreUnavailable, nothing after the answer began.
        """
        watch = SessionWatch(
            self._sessions,
            self._access,
            session,
            access_until=self._access_until,
            now=self._now,
            warning=self._warning,
            fields=self._fields,
        )
        with self._place(request, session) as seat:
            first = await watch.begin(request.headers.get("Last-Event-ID", ""))
            self.wheel.looked(seat, watch.mark, watch.changes_at)
            response = web.StreamResponse(headers=_HEADERS)
            with _to_the_end(session):
                await response.prepare(request)
                await response.write(_retry() + _drawn(first))
                give_place_back(request)
                await self._tell(seat, response, watch)
        return response

    async def _tell(self, seat: Seat, response: web.StreamResponse, watch: SessionWatch) -> None:
        life = self._limits.life * random.uniform(1 - _SPREAD_OF_LIFE, 1)  # noqa: S311 - nothing is secret about it
        began = spoke = self._monotonic()
        while not watch.over:
            seat.speaks_at = min(spoke + self._limits.heartbeat, began + life)
            if not self._stopping:
                await seat.awake.wait()
            seat.awake.clear()
            if self._stopping or not seat.is_heard:
                return
            piece = _drawn(await self._look(seat, watch)) if seat.must_look else b""
            now = self._monotonic()
            if not piece and now - began >= life:
                return
            if not piece and now - spoke >= self._limits.heartbeat:
                piece = _HEARTBEAT
            if piece:
                spoke = now
                await response.write(piece)

    async def _look(self, seat: Seat, watch: SessionWatch) -> list[SessionEvent]:
        seat.must_look = False
        try:
            async with self._looking:
                # The request's own budget was for beginning; a stream that lives on it would be blind after some looks.
                with redis_budget(self._redis_seconds):
                    news = await watch.look()
        except SessionStoreUnavailable:
            self.wheel.looked(seat, None, watch.changes_at)
            return []
        self.wheel.looked(seat, watch.mark, watch.changes_at)
        return news

    @contextmanager
    def _place(self, request: web.Request, session: LiveSession) -> Iterator[Seat]:
        """Give a stream a place while the block runs; a page that was closed a moment ago takes none away."""
        family, person = session.ref.family, digest_of(session.user.tid, session.user.oid)
        if (
            _heard(self._open.get(family, ())) >= self._limits.of_session
            or _heard(self._of_persons.get(person, ())) >= self._limits.of_person
            or self.count() >= self._limits.of_process
        ):
            raise TooManyRequests(
                "Too many pages listen already. Ask GET /api/session instead.", retry_after=_REFUSED_SECONDS
            )
        seat = Seat(session.ref, request)
        held = ((self._open, family), (self._of_persons, person))
        for seats, owner in held:
            seats.setdefault(owner, []).append(seat)
        self.wheel.join(seat)
        self._counts.streams_open(self.count())
        try:
            yield seat
        finally:
            for seats, owner in held:
                seats[owner].remove(seat)
                if not seats[owner]:
                    del seats[owner]
            self.wheel.leave(seat)
            self._counts.streams_open(self.count())


def _heard(seats: Iterable[Seat]) -> int:
    return sum(seat.is_heard for seat in seats)


@contextmanager
def _to_the_end(session: LiveSession) -> Iterator[None]:
    """Let a stream that fails end like any other: an answer that has begun cannot become a problem any more."""
    try:
        yield
    except ConnectionError:
        pass  # nobody listens any more
    except Exception as fault:  # noqa: BLE001 - the last resort, as in the middleware that draws problems
        log_event(_log, logging.ERROR, "event-stream-failed", fault=fault, session=session.ref.short)


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
