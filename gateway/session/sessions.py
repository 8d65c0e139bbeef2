"""Sessions: from the browser's cookie to a person, and back.

Owns what a session remembers of its person, its two lifetimes, and the ways in which it ends: by its person, by `sid`,
by being replaced. The cookie's form and attributes are in `cookie.py`.
Never holds a token, and never adopts an id that a browser presents.

aiohttp-session gives the middleware, the per-request memory and the moment at which a cookie is written. Everything
else is ours, because its Redis storage keeps plain JSON under the bare cookie value, without a lifetime, writes an
ended session back, and deletes `__Host-` cookies in a way that browsers ignore.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import aiohttp_session
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.audit.origin import about, about_session
from gateway.audit.subject import Subject
from gateway.errors import SessionStoreUnavailable, SignInRequired
from gateway.session.confirmation import Confirmation
from gateway.session.cookie import LIVE, SessionCookie, is_doubled
from gateway.session.indexed_sessions import Index, IndexedSessions
from gateway.session.records import SessionRecords
from gateway.session.session_limit import SessionLimit
from gateway.session.summary import SUMMARY, SessionSummary
from gateway.store.fields import Field, number_of
from gateway.store.indexes import SessionIndexes
from gateway.store.names import SessionRef, digest_of
from gateway.store.stored_form import write_record
from gateway.store.vault import NO_LIMIT, SEEN, Begun, Indexing, Stored, Successor, Vault

# Between two uses closer than this nothing is written: the idle limit is minutes at least.
_TOUCH_SECONDS: Final = 20
RECORD: Final = "session"


class UserSession(BaseModel):
    """What a session remembers of its person; never changed after it was written, only replaced.

    Times are whole seconds since 1970, UTC: `ends_at` is its end where its tokens cannot be renewed. `confirmations`
    are those given in this session, by the keys of resources. The release before knows of them by `last_mfa_at` (for
    editing), `last_step_up_at` (for either of its two) and `step_ups_in_vain`, and reads and writes those alone.
    `claims` are the ID token's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    tid: str
    oid: str
    sub: str
    name: str
    username: str
    sid: str = ""
    device: str = ""
    created_at: int
    last_mfa_at: int | None = None
    last_step_up_at: int | None = None
    step_ups_in_vain: int = 0
    confirmations: dict[str, Confirmation] | None = None
    ends_at: int | None = None
    claims: dict[str, Any] = {}

    @property
    def last_confirmed_at(self) -> int | None:
        """When the person confirmed last, for whatever it was."""
        given = [one.at for one in (self.confirmations or {}).values()]
        return max(given, default=self.last_mfa_at)

    def is_same_person(self, other: "UserSession") -> bool:
        """Tell whether both are one person: tenant, object and subject agree (OIDC Core, section 12.2)."""
        return (self.tid, self.oid, self.sub) == (other.tid, other.oid, other.sub)


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that was opened and is within its limits, with its records; times in seconds since 1970."""

    cookie: SessionCookie
    user: UserSession
    idle_at: float
    absolute_at: float
    records: SessionRecords = field(compare=False)

    @property
    def ref(self) -> SessionRef:
        """The session's name."""
        return self.cookie.ref

    @property
    def subject(self) -> Subject:
        """Whom the audit trail names."""
        return Subject(self.user.tid, self.user.oid, self.ref)


class SessionStore:
    """Starts, opens and ends sessions.

    `now` is Redis' clock, as the vault tells it, `idle` and `absolute` the limits in seconds, and `most` how many
    sessions a person may have.
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
    ) -> None:
        self._vault = vault
        self._limit = SessionLimit(vault, most)
        self._indexes = SessionIndexes(vault)
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
        return LiveSession(cookie, user, now + idle, absolute_at, self._records(cookie, {}))

    async def load(
        self, cookie: SessionCookie, fields: Sequence[str] = (), *, everything: bool = False
    ) -> LiveSession | None:
        """Return the session that the cookie opens, or None: unknown, ended, too old, or not ours to open.

        Its records `fields` are read in the same step, or all of them.
        """
        if everything:
            stored = await self._vault.read_all(cookie.ref)
        else:
            stored = await self._vault.read(cookie.ref, list(dict.fromkeys([RECORD, SEEN, *fields])))
        opened = self._vault.open(cookie.ref, RECORD, stored.get(RECORD), secret=cookie.secret)
        if opened is None:
            return None
        try:
            user = UserSession.model_validate_json(opened.value)
        except ValidationError:
            return None
        absolute_at = self._absolute_at(user)
        idle_at = min(number_of(stored.get(SEEN)) / 1000 + self._idle, absolute_at)
        # Redis drops it by its own clock. A life that was set shorter since holds at once; who looks ends nothing, and
        # who was never told the time asks no more than the absolute limit of it.
        if self._now() >= (idle_at if self._vault.known_time() else absolute_at):
            return None
        records = self._records(cookie, stored, complete=everything)
        return LiveSession(cookie, user, idle_at, absolute_at, records)

    def _absolute_at(self, user: UserSession) -> float:
        absolute_at = float(user.created_at + self._absolute)
        return absolute_at if user.ends_at is None else min(absolute_at, float(user.ends_at))

    def _records(self, cookie: SessionCookie, stored: Stored, *, complete: bool = False) -> SessionRecords:
        return SessionRecords(self._vault, cookie.ref, cookie.secret, stored, complete=complete)

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
                await self._vault.touch(session.ref, idle=min(self._idle, session.absolute_at - now))

    async def require(self, request: web.Request, *, slide: bool = True) -> LiveSession:
        """Return the request's session, the only way to one; raises SignInRequired with the reason.

        Asking counts as activity unless `slide` is False.
        """
        session = await self.find(request)
        if session is None:
            if is_doubled(request):
                raise SignInRequired.by_duplicate_cookie()
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
        live = (await aiohttp_session.get_session(request)).get(LIVE)
        if not isinstance(live, LiveSession):
            return None
        about(live.subject)
        return live

    async def bind(self, request: web.Request, session: LiveSession) -> None:
        """Let the answer to this request carry the session's cookie."""
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
        (await aiohttp_session.get_session(request)).invalidate()

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
        if not named:
            return 0
        index, *others = named
        among = [set(await self._indexes.indexed(*other, until=created_until)) for other in others]
        return await self._indexed.end(
            index,
            reason,
            beside=others,
            spares=lambda ref: not all(ref in refs for refs in among),
            until=created_until,
        )


def indexes_of(user: UserSession) -> list[Index]:
    """Return the indexes that name a session of `user`: the person's own first."""
    # Entra's `sub` is another one for each application, and is what a logout token names.
    indexes = [("person", digest_of(user.tid, user.oid)), ("sub", digest_of(user.tid, user.sub))]
    return [*indexes, ("sid", digest_of(user.tid, user.sid))] if user.sid else indexes
