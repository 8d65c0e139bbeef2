"""Sessions: from the browser's cookie to a person, and back.

Owns what a session remembers of its person, its two lifetimes, and the ways in which it ends: by its person, by `sid`,
by being replaced. The cookie's form and attributes are in `cookie.py`.
Never holds a token, and never adopts an id that a browser presents.

Which part of this is aiohttp-session's: docs/explanation/decisions/2026-11-21-own-session-storage.md.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import aiohttp_session
from aiohttp import web

from gateway.audit.origin import about, about_session
from gateway.audit.subject import Subject
from gateway.errors import SessionStoreUnavailable, SignInRequired
from gateway.session.cookie import LIVE, SessionCookie, found_for, is_doubled, is_of_event_source, storage_of
from gateway.session.indexed_sessions import IndexedSessions
from gateway.session.kept_sessions import KeptSessions
from gateway.session.opened_records import MOST_NAMES, OpenedRecords
from gateway.session.openings import Openings
from gateway.session.records import SessionRecords
from gateway.session.session_limit import SessionLimit
from gateway.session.summary import SUMMARY, SessionSummary
from gateway.session.user_session import LiveSession, OpenedSession, UserSession, indexes_of, user_of
from gateway.store.fields import Field, number_of
from gateway.store.names import digest_of
from gateway.store.stored_form import write_record
from gateway.store.vault import NO_LIMIT, SEEN, WRITES, Begun, Indexing, Successor, Vault

__all__ = ["LiveSession", "SessionStore", "UserSession", "indexes_of"]

# Between two uses closer than this nothing is written: the idle limit is minutes at least.
_TOUCH_SECONDS: Final = 20
RECORD: Final = "session"


class SessionStore:
    """Starts, opens and ends sessions.

    `now` is Redis' clock, as the vault tells it, `idle` and `absolute` the limits in seconds, and `most` how many
    sessions a person may have. `monotonic` is the clock that those which were opened are kept by.
    Every method raises SessionStoreUnavailable when Redis fails.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        now: Callable[[], float],
        idle: int,
        absolute: int,
        most: int = NO_LIMIT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault = vault
        self.kept: KeptSessions[OpenedSession] = KeptSessions(now=monotonic)
        self._openings = Openings()
        self._limit = SessionLimit(vault, most)
        self._indexed = IndexedSessions(vault)
        self._now = now
        self._idle = idle
        self._absolute = absolute

    async def start(
        self,
        user: UserSession,
        records: Mapping[str, Field],
        *,
        cookie: SessionCookie,
        successor: Successor | None = None,
    ) -> LiveSession | None:
        """Write a new session with its records in one step.

        With `successor`, the old id is dead in the same step; None when that session had ended already. Raises
        Overtaken when it was written since `records` were read from it. Without one, the session that was used longest
        ago ends where the person has too many.
        """
        about(Subject(user.tid, user.oid, cookie.ref))
        now = self._now()
        absolute_at = self._absolute_at(user)
        idle = min(self._idle, absolute_at - now)
        indexes = indexes_of(user)
        summary = SessionSummary(
            user.device, user.created_at, user.last_confirmed_at, dict(indexes).get("sid", "")
        )
        own = {
            RECORD: Field(user.model_dump_json().encode(), absolute_at),
            SUMMARY: Field(write_record(summary), absolute_at, keyed=False),
        }
        created = await self._vault.create(
            cookie.ref,
            {**records, **own},
            idle=idle,
            secret=cookie.secret,
            # With a successor there are no more than before.
            indexing=Indexing(
                indexes, user.created_at, self._absolute, NO_LIMIT if successor else self._limit.most
            ),
            successor=successor,
        )
        if not created:
            return None
        if created is Begun.IN_A_CROWD:
            await self._limit.enforce(cookie.ref, indexes)
        self._vault.orphans.note(indexes)
        begun = SessionRecords(self._vault, cookie.ref, cookie.secret, {})
        return LiveSession(cookie, user, now + idle, absolute_at, begun)

    async def load(
        self,
        cookie: SessionCookie,
        fields: Sequence[str] = (),
        *,
        everything: bool = False,
        keep_as: str | None = None,
    ) -> LiveSession | None:
        """Return the session that the cookie opens, or None: unknown, ended, too old, or not ours to open.

        Its records `fields` are read in the same step, or all of them. It is kept as `keep_as` for `reopen`.
        """
        await self._openings.turn()  # before the read: what was read is opened as it is
        if everything:
            stored = await self._vault.read_all(cookie.ref)
        else:
            names = dict.fromkeys((RECORD, SEEN, WRITES, *fields))
            if keep_as and (before := self.kept.get(keep_as)) and len(before.records.stored) < MOST_NAMES:
                names |= dict.fromkeys(before.records.stored)
            stored = await self._vault.read(cookie.ref, list(names))
        read = self._vault.open(cookie.ref, RECORD, stored.get(RECORD), secret=cookie.secret)
        user = user_of(read.value) if read else None
        if user is None:
            return None
        absolute_at = self._absolute_at(user)
        idle_at = min(number_of(stored.get(SEEN)) / 1000 + self._idle, absolute_at)
        if self._is_over(idle_at, absolute_at):
            return None
        opened = OpenedSession(
            cookie,
            user,
            idle_at,
            absolute_at,
            self._vault.mark_command(cookie.ref),
            OpenedRecords(stored, (stored.get(SEEN), stored.get(WRITES))),
            Subject(user.tid, user.oid, cookie.ref),
        )
        if keep_as:
            self.kept.keep(keep_as, opened, opened.size)
        return self._live(opened, complete=everything)

    async def reopen(self, kept_as: str, fields: Sequence[str] = ()) -> LiveSession | None:
        """Return a session that was opened a moment ago, if it is in Redis as it was then.

        None where it is to be loaded: it was not kept, is another one since, has ended, or `fields` were not read.
        """
        opened = self.kept.get(kept_as)
        if opened is None or not opened.records.is_current:
            return None
        if fields is not opened.fields:
            if not opened.records.stored.keys() >= set(fields):
                return None
            opened.fields = fields  # as a rule the same route asks again
        try:
            seen, writes = await self._vault.read_mark(opened.command, opened.cookie.ref)
        except SessionStoreUnavailable:
            self.kept.clear()
            raise
        # One that has ended has no mark, and neither has one whose hash was damaged when it was read.
        records = opened.records
        is_as_opened = seen and (seen, writes) == records.mark and records.is_current
        if not is_as_opened or self._is_over(opened.idle_at, opened.absolute_at):
            self.kept.drop(kept_as)
            return None
        if records.grown:
            self.kept.resize(kept_as, opened.recounted())
        return self._live(opened)

    def _absolute_at(self, user: UserSession) -> float:
        absolute_at = float(user.created_at + self._absolute)
        return absolute_at if user.ends_at is None else min(absolute_at, float(user.ends_at))

    def _is_over(self, idle_at: float, absolute_at: float) -> bool:
        """Tell whether a session has reached one of its ends.

        Redis drops it by its own clock. A life that was set shorter since holds at once; who looks ends nothing, and
        who was never told the time asks no more than the absolute limit of it.
        """
        now = self._now()  # the idle end is never the later one
        return now >= idle_at and (now >= absolute_at or self._vault.knows_time)

    def _live(self, opened: OpenedSession, *, complete: bool = False) -> LiveSession:
        cookie = opened.cookie
        records = SessionRecords(
            self._vault,
            cookie.ref,
            cookie.secret,
            opened.records.stored,
            complete=complete,
            opened=opened.records,
        )
        return LiveSession(cookie, opened.user, opened.idle_at, opened.absolute_at, records, opened)

    async def time(self) -> float:
        """Return the time of day for what begins now (s since 1970): Redis' own, whatever our clock says."""
        return await self._vault.time()

    async def slide(self, session: LiveSession) -> None:
        """Note that the person is active: the idle limit counts from now."""
        now = self._now()
        noted_every = min(_TOUCH_SECONDS, self._idle / 10)
        if session.idle_at < min(now + self._idle - noted_every, session.absolute_at):
            # A Redis that can be read but not written, as a replica is during a failover, hides no profile.
            with contextlib.suppress(SessionStoreUnavailable):
                seen = await self._vault.touch(session.ref, idle=min(self._idle, session.absolute_at - now))
                if seen and (opened := session.opened):
                    # It is as it was opened but for that; a write of somebody else's is seen by the mark all the same.
                    opened.records.mark = (seen, opened.records.mark[1])
                    opened.idle_at = min(number_of(seen) / 1000 + self._idle, opened.absolute_at)

    async def require(self, request: web.Request, *, slide: bool = True) -> LiveSession:
        """Return the request's session, the only way to one; raises SignInRequired with the reason.

        Asking counts as activity unless `slide` is False.
        """
        session: LiveSession | None = found_for(request) or await self.find(request)
        if session is None:
            if is_doubled(request):
                raise SignInRequired.by_duplicate_cookie(is_read=not is_of_event_source(request))
            cookie = SessionCookie.of(request)
            if cookie is None:
                raise SignInRequired
            about_session(cookie.ref)
            raise SignInRequired(await self.why_ended(cookie))
        if slide:
            await self.slide(session)
        return session

    async def why_ended(self, cookie: SessionCookie) -> str:
        """Return why a session is no longer there; `expired` where nobody remembers."""
        return await self._vault.ends.reason(cookie.ref) or "expired"

    async def find(self, request: web.Request) -> LiveSession | None:
        """Return the request's session if there is one; asking does not prolong it."""
        live = await storage_of(request).live(request)
        if not isinstance(live, LiveSession):
            return None
        about(live.subject)
        return live

    async def bind(self, request: web.Request, session: LiveSession) -> None:
        """Let the answer to this request carry the session's cookie."""
        storage = storage_of(request)
        if not storage.writes:
            raise RuntimeError("the row of this route does not say that it binds sessions")
        storage.remember(request, session)
        fresh = await aiohttp_session.new_session(request)
        fresh.set_new_identity(session.cookie.text)
        fresh[LIVE] = session

    async def end(self, session: LiveSession, reason: str, *, successors: bool = False) -> None:
        """End one session: its records are gone and cannot be written back.

        With `successors` also under the id that a step-up in another tab gives it meanwhile.
        """
        ends = self._vault.ends
        end = ends.end_with_successors if successors else ends.end
        await end(session.ref, reason, indexes_of(session.user))

    async def confirm_end(self, cookie: SessionCookie) -> None:
        """Ask again about a session that ended before this request; raises SessionStoreUnavailable."""
        await self._vault.ends.confirm(cookie.ref)

    async def unbind(self, request: web.Request) -> None:
        """Let the answer to this request delete the cookie."""
        storage = storage_of(request)
        if not storage.writes:
            raise RuntimeError("the row of this route does not say that it binds sessions")
        (await aiohttp_session.get_session(request)).invalidate()
        storage.remember(request, None)

    async def end_matching(
        self,
        *,
        tid: str,
        sid: str | None = None,
        sub: str | None = None,
        created_until: float | None = None,
        reason: str,
    ) -> int:
        """End every session of the authority's session `sid`, of the subject `sub`, or of both where both are given.

        Sessions of persons who signed in after `created_until` survive. Returns how many there were.
        """
        named = [(kind, digest_of(tid, name)) for kind, name in (("sid", sid), ("sub", sub)) if name]
        return await self._indexed.end_named_by_all(named, reason, until=created_until) if named else 0
