"""Server-sent events about sessions: the streams that are open in this process.

Owns how many there may be, of a session, of a person and in all, how long one lasts, and that all of them end when the
process does, so that nobody waits for them.
Never prolongs a session, and never holds a connection to Redis: a stream looks at its session when the wheel says so,
and while Redis is away it keeps quiet.
"""

import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.counts import Counts
from gateway.session.event_stream import StreamSeat
from gateway.session.sessions import LiveSession, SessionStore
from gateway.session.stream_wheel import LOOKS_A_SECOND, LOOKS_AT_ONCE, Seat, StreamWheel
from gateway.session.watch import SessionWatch
from gateway.store.marks import MARK_FIELDS
from gateway.store.names import digest_of
from gateway.store.vault import Vault
from servicekit.errors import TooManyRequests
from servicekit.http.limited_handler import connections_of

_REFUSED_SECONDS: Final = 30
_SPREAD_OF_LIFE: Final = 0.1
_SHARE_OF_CONNECTIONS: Final = 2


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
    of_process: int = 5000
    """Each takes a connection, of which half are for everything else, about 20 kB and 3 us of computing a second."""
    looks_at_once: int = LOOKS_AT_ONCE
    looks_a_second: float = LOOKS_A_SECOND
    """So that five thousand sessions that change at once are told within the seconds of `look`, and leave most of a
    core to the requests meanwhile."""


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
        self._open = 0
        self._of_owners: Counter[str] = Counter()
        self.wheel = StreamWheel(
            vault,
            now=now,
            monotonic=monotonic,
            look=limits.look,
            rarely=limits.rarely,
            looks_at_once=limits.looks_at_once,
            looks_a_second=limits.looks_a_second,
        )
        """Of whoever is open in this process: sockets sit on it as well, as hints are heard once."""
        self._stopping = False

    def count(self) -> int:
        """Return how many streams are open."""
        return self._open

    def stop(self) -> None:
        """End every stream now, and each new one as soon as it began; browsers come back to whoever serves then."""
        self._stopping = True
        self.wheel.stop()

    async def serve(self, request: web.Request, session: LiveSession) -> web.StreamResponse:
        """Begin to tell the request's page about its session; the answer goes on until either ends.

        Raises TooManyRequests and SessionStoreUnavailable, nothing after the answer began.
        """
        watch = SessionWatch(
            self._sessions,
            self._access,
            session.cookie,
            access_until=self._access_until,
            now=self._now,
            warning=self._warning,
            fields=self._fields,
        )
        seat = self._seat(request, session, watch)
        try:
            first = await watch.begin(session, request.headers.get("Last-Event-ID", ""))
        except BaseException:
            seat.end()
            raise
        try:
            await seat.begin(first)
        except ConnectionError:
            seat.end()  # nobody listens any more
        except Exception as fault:  # noqa: BLE001 - the last resort, as in the middleware that draws problems
            seat.fail(fault)
        if self._stopping:
            seat.stop()
        elif not seat.answer.over.done():
            self.wheel.join(seat)
        return seat.answer

    def _seat(self, request: web.Request, session: LiveSession, watch: SessionWatch) -> StreamSeat:
        """Give a stream a place until it ends; raises TooManyRequests."""
        owners = (session.ref.family, digest_of(session.user.tid, session.user.oid))
        if (
            self._of_owners[owners[0]] >= self._limits.of_session
            or self._of_owners[owners[1]] >= self._limits.of_person
            or self._open >= min(self._limits.of_process, connections_of(request) // _SHARE_OF_CONNECTIONS)
        ):
            raise TooManyRequests(
                "Too many pages listen already. Ask GET /api/session instead.", retry_after=_REFUSED_SECONDS
            )
        self._take(owners, 1)

        def leave(seat: Seat) -> None:
            self.wheel.leave(seat)
            self._take(owners, -1)

        life = self._limits.life * random.uniform(1 - _SPREAD_OF_LIFE, 1)  # noqa: S311 - nothing is secret about it
        return StreamSeat(
            session.ref,
            request,
            watch,
            heartbeat=self._limits.heartbeat,
            ends_at=self._monotonic() + life,
            monotonic=self._monotonic,
            redis_seconds=self._redis_seconds,
            others=self.count,
            leave=leave,
        )

    def _take(self, owners: tuple[str, str], count: int) -> None:
        self._open += count
        for owner in owners:
            self._of_owners[owner] += count
            if not self._of_owners[owner]:
                del self._of_owners[owner]
        self._counts.streams_open(self._open)
