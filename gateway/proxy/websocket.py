"""WebSockets of rows with `websocket = true`: who has one, how many there are, and when one ends.

Owns the places, the answer to the handshake, and that a socket ends with its session: signed out here or elsewhere, or
over by its time. A step-up changes nothing, as it changes only what the session is called; a Redis that does not answer
changes nothing either, and is asked again. All sockets end when the process does.
Never prolongs a session by what is said on a socket: a page that is open would keep its person signed in for ever.
Never reads a message, and never opens the other side: `socket_handshake.py` does.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.counts import Counts
from gateway.edge.handshakes import refuse_bad_handshake, subprotocols
from gateway.proxy import socket_relay
from gateway.proxy.browser_socket import BrowserSocket, accepted
from gateway.session.session_ends import SessionEnds
from gateway.session.sessions import LiveSession, SessionStore
from gateway.session.stream_wheel import StreamWheel
from gateway.store.names import digest_of
from gateway.store.vault import Vault
from gateway.upstream_rows import UpstreamRow
from servicekit.errors import TooManyRequests
from servicekit.http.admission import give_place_back
from servicekit.http.limited_handler import connections_of
from servicekit.logs import log_event
from servicekit.socket_call import SocketLimits

_REFUSED_SECONDS: Final = 30
_SHARE_OF_CONNECTIONS: Final = 4
_STRANGER_PERSON: Final = "anonymous"

_log = logging.getLogger(__name__)

Open = Callable[
    [web.Request, LiveSession | None, UpstreamRow, Sequence[str], SocketLimits],
    Awaitable[socket_relay.Upstream | web.StreamResponse],
]
"""Opens the other side: the socket, or what the upstream answered instead; raises as the exchange does."""


@dataclass(frozen=True, slots=True)
class SocketPlaces:
    """How many sockets there may be at once."""

    of_session: int = 20
    of_person: int = 50
    """Who has no session is counted by network."""
    of_process: int = 1000
    """Each takes two descriptors, and as much memory as two messages at the worst; a quarter of all connections where
    that is fewer."""


class WebSockets:
    """The sockets that are open in this process.

    `now` is Redis' clock in seconds, `idle` the idle limit, `redis_seconds` what one look may wait for Redis.
    `network_of` names the network of whoever has no session. `wheel` wakes whose session changed.
    """

    def __init__(
        self,
        sessions: SessionStore,
        vault: Vault,
        wheel: StreamWheel,
        open_upstream: Open,
        audit: Audit,
        *,
        now: Callable[[], float],
        idle: float,
        redis_seconds: float,
        network_of: Callable[[web.Request], str],
        places: SocketPlaces | None = None,
        limits: SocketLimits | None = None,
        counts: Counts | None = None,
    ) -> None:
        self._sessions = sessions
        self._session_ends = SessionEnds(vault, wheel, now=now, idle=idle, redis_seconds=redis_seconds)
        self._open_upstream = open_upstream
        self._audit = audit
        self._network_of = network_of
        self._places = places or SocketPlaces()
        self._limits = limits or SocketLimits()
        self._counts = counts or Counts()
        self._held: defaultdict[str, int] = defaultdict(int)
        self._of_rows: defaultdict[str, int] = defaultdict(int)
        self._stopping = asyncio.Event()

    def count(self) -> int:
        """Return how many sockets are open, or are being opened."""
        return sum(self._of_rows.values())

    def stop(self) -> None:
        """End every socket now, and each new one as soon as it began; browsers come back to whoever serves then."""
        self._stopping.set()

    async def answer(self, request: web.Request, row: UpstreamRow) -> web.StreamResponse:
        """Answer a handshake, and pass messages both ways until the end.

        Raises BadRequest, SignInRequired, TooManyRequests, and what opening the other side raises; nothing after the
        answer began.
        """
        refuse_bad_handshake(request)
        offered = subprotocols(request)
        session = await self._session(request, row)
        limits = SocketLimits(
            min(row.max_body, self._limits.message), self._limits.heartbeat, self._limits.close
        )
        with self._place(request, session, row):
            opened = await self._open_upstream(request, session, row, offered, limits)
            if isinstance(opened, web.StreamResponse):
                return opened
            try:
                browser = await accepted(request, opened.protocol, limits)
                who = session.subject if session else None
                self._audit.record(facts.UPSTREAM_SOCKET, who, upstream=row.name, method=request.method)
                return await self._serve(request, browser, opened, session, row)
            finally:
                opened.cut()

    async def _session(self, request: web.Request, row: UpstreamRow) -> LiveSession | None:
        if row.anonymous and await self._sessions.find(request) is None:
            return None
        return await self._sessions.require(request)

    async def _serve(
        self,
        request: web.Request,
        browser: BrowserSocket,
        upstream: socket_relay.Upstream,
        session: LiveSession | None,
        row: UpstreamRow,
    ) -> web.StreamResponse:
        give_place_back(request)
        began = time.monotonic()
        others: list[Awaitable[socket_relay.Ending]] = [self._until_stopped()]
        if session:
            others.append(self._until_session_ends(session))
        try:
            ending = await socket_relay.relay(browser, upstream, *others, close_seconds=self._limits.close)
            await browser.linger(self._limits.close)
        except Exception as fault:  # noqa: BLE001 - the last resort: an answer that has begun cannot become a problem
            log_event(_log, logging.ERROR, "websocket-failed", fault=fault, upstream=row.name)
            return browser
        log_event(
            _log,
            logging.INFO,
            "websocket-ended",
            upstream=row.name,
            why=ending.why,
            session=session.ref.short if session else None,
            seconds=round(time.monotonic() - began, 1),
        )
        return browser

    async def _until_stopped(self) -> socket_relay.Ending:
        await self._stopping.wait()
        return socket_relay.RESTART

    async def _until_session_ends(self, session: LiveSession) -> socket_relay.Ending:
        return socket_relay.session_ended(await self._session_ends.end_of(session))

    @contextmanager
    def _place(self, request: web.Request, session: LiveSession | None, row: UpstreamRow) -> Iterator[None]:
        """Give a socket a place while the block runs."""
        if session:
            whose = [
                (session.ref.family, self._places.of_session),
                (digest_of(session.user.tid, session.user.oid), self._places.of_person),
            ]
        else:
            whose = [(f"{_STRANGER_PERSON} {self._network_of(request)}", self._places.of_person)]
        most_here = min(self._places.of_process, connections_of(request) // _SHARE_OF_CONNECTIONS)
        if self.count() >= most_here or any(self._held[who] >= most for who, most in whose):
            self._forget_empty(whose)
            raise TooManyRequests("Too many WebSockets are open already.", retry_after=_REFUSED_SECONDS)
        for who, _ in whose:
            self._held[who] += 1
        self._of_rows[row.name] += 1
        self._counts.sockets_open(row.name, self._of_rows[row.name])
        try:
            yield
        finally:
            for who, _ in whose:
                self._held[who] -= 1
            self._forget_empty(whose)
            self._of_rows[row.name] -= 1
            self._counts.sockets_open(row.name, self._of_rows[row.name])

    def _forget_empty(self, whose: Sequence[tuple[str, int]]) -> None:
        for who, _ in whose:
            if not self._held[who]:
                del self._held[who]
