"""What a page that is open wants to hear of its session: that it ended, that it ends soon, that rights changed.

Owns the three events, when each is told, and the id by which a stream that was interrupted goes on without a gap.
Never prolongs a session, and never takes a store that does not answer for a session that ended.
"""

import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.marks import MARK_FIELDS, Mark
from gateway.store.names import digest_of
from gateway.timestamps import rfc3339

_ID_FORM: Final = re.compile(r"([A-Za-z0-9_-]{12})\.((?:granted|step-up)(?:\.[A-Za-z0-9_-]{12})?)")
_NAME_CHARACTERS: Final = 12
_WARNING_SECONDS: Final = 120


def warning_seconds(idle: int, absolute: int) -> float:
    """Return how long before its end a session is said to expire: two minutes, or half of a life below four."""
    return min(_WARNING_SECONDS, idle / 2, absolute / 2)


def written(access: Mapping[str, str]) -> str:
    """Return what an id says of access: the first, and a digest of all where there are more."""
    first, *others = access.values()
    digest = digest_of("access", *(part for member in sorted(access.items()) for part in member))
    return f"{first}.{digest[:_NAME_CHARACTERS]}" if others else first


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One event; without a name only its `id` is told, which tells a browser where it is and dispatches nothing."""

    name: str
    data: Mapping[str, Any]
    id: str


class SessionWatch:
    """Looks at one session and says what is new; raises SessionStoreUnavailable, and then nothing was told.

    `access` says what a session may do, by name, and needs the records `fields` for it; `access_until` says how long
    that holds unless something is written. `now` is the wall clock in seconds, and `warning` how many seconds before
    its end a session is said to expire.
    """

    def __init__(
        self,
        sessions: SessionStore,
        access: Callable[[LiveSession], Awaitable[Mapping[str, str]]],
        cookie: SessionCookie,
        *,
        now: Callable[[], float],
        warning: float,
        access_until: Callable[[LiveSession], float] = lambda _session: math.inf,
        fields: Sequence[str] = (),
    ) -> None:
        self._sessions = sessions
        self._access = access
        self._cookie = cookie
        self._now = now
        self._warning = warning
        self._access_until = access_until
        self._fields = fields
        self._name = digest_of("events", cookie.family)[:_NAME_CHARACTERS]
        self._access_sent = ""
        self._warned = False
        self.over = False
        """Whether there is nothing more to tell under this cookie."""
        self.mark: Mark = (None, None)
        """The session's mark at the last look."""
        self.changes_at = math.inf
        """When time alone changes what a look would tell, in seconds since 1970."""

    async def begin(self, session: LiveSession, last_id: str) -> list[SessionEvent]:
        """Return what is new since the event `last_id` (of the browser's `Last-Event-ID`), and where we are now.

        `session` is what the cookie opened just now, and is not kept.

        Another session behind the same browser means that the one before is over; whose it is now, the page asks.
        """
        access = await self._access(session)
        match = _ID_FORM.fullmatch(last_id)
        if match and match[1] != self._name:
            return [self._end("replaced")]
        state = written(access)
        self._access_sent = match[2] if match else state
        if "." not in self._access_sent and state.startswith(f"{self._access_sent}."):
            # Of a gateway without upstreams: what the page was told holds, and it knows of nothing else.
            self._access_sent = state
        return [SessionEvent("", {}, f"{self._name}.{state}"), *self._news(session, access)]

    async def look(self) -> list[SessionEvent]:
        """Return what is new since the last look.

        An id that step-up replaced is over without a word: the browser comes back with the new one, and hears then.
        """
        live = await self._sessions.load(self._cookie, self._fields)
        if live is not None:
            return self._news(live, await self._access(live))
        reason = await self._sessions.why_ended(self._cookie)
        ended = self._end(reason)
        return [] if reason == "rotated" else [ended]

    def _news(self, live: LiveSession, access: Mapping[str, str]) -> list[SessionEvent]:
        state = written(access)
        identifier = f"{self._name}.{state}"
        news: list[SessionEvent] = []
        if state != self._access_sent:
            news.append(SessionEvent("access-changed", {"access": access}, identifier))
        expiring = live.idle_at - self._now() <= self._warning
        if expiring and not self._warned:
            ends = {"idle_at": rfc3339(live.idle_at), "absolute_at": rfc3339(live.absolute_at)}
            news.append(SessionEvent("session-expiring", {"expires": ends}, identifier))
        self._access_sent, self._warned = state, expiring
        self.mark = live.records.raw(MARK_FIELDS)
        ends_at = live.idle_at if expiring else live.idle_at - self._warning
        self.changes_at = min(ends_at, self._access_until(live))
        return news

    def _end(self, reason: str) -> SessionEvent:
        self.over = True
        # An empty id makes the browser forget: the next session behind it is not compared with this one.
        return SessionEvent("session-ended", {"reason": reason}, "")
