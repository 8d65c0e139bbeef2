"""Requests that step-up interrupted, waiting for their person.

Owns their record (sealed in the session that made them, ten minutes of life, one use), how much of them a session and
a person may have, and the claim on one, so that it is sent or dropped once.
Never sends one, and never finds one of another session.
"""

import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from gateway.errors import EditInProgress, NotFound, SessionStoreUnavailable, SignInRequired
from gateway.proxy import parked_form
from gateway.proxy.notes import note
from gateway.proxy.parked_form import PARKED, ParkedRequest
from gateway.session.records import Entries, RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.leases import WAIT_SECONDS, Lease, LeaseTaken
from gateway.store.names import digest_of
from gateway.store.spent_bytes import SpentBytes
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339
from servicekit.errors import UNKNOWN
from servicekit.problems import ProblemError

PARKED_SECONDS: Final = 600
LARGEST_PARKED: Final = 65_536
"""Of a body, in bytes."""
PERSONS_BYTES: Final = 262_144
"""What a person may park within ten minutes, in all of their sessions: three of the largest, and what is around."""
SMALL_BYTES: Final = 1024
"""Not counted, and not asked for: as many as there may be are no more than that again, and people's edits are."""
SENDING: Final = RecordKind("sending", bytes, survives_step_up=True)
"""There while one is on its way to its upstream. Whoever finds it without its holder knows that a gateway died then."""
GONE: Final = (
    "This change does not wait here any more: it was saved or dropped, ten minutes are over, or three younger changes "
    "took its place. Where it does not show, send it again."
)
NOBODY_KNOWS: Final = (
    "This change was on its way when its gateway stopped, and nobody knows whether it arrived. It is not sent a second "
    "time: look, and send it again where it does not show."
)
_ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")
# Of the request that was interrupted, and of no other.
_NOT_KEPT: Final = frozenset({"traceparent", "tracestate", "content-length", "expect"})


@dataclass(slots=True)
class Claim:
    """A parked request that nobody else can send or drop meanwhile.

    `is_begun` while it is marked as being sent, `is_settled` once it is known what becomes of it.
    """

    session: LiveSession
    identifier: str
    request: ParkedRequest
    lease: Lease
    is_begun: bool = False
    is_settled: bool = False

    async def begin(self) -> None:
        """Mark it as being sent, before the first byte goes out; raises SessionStoreUnavailable, SignInRequired.

        If this gateway dies from here on, nobody sends it again.
        """
        if not await self.session.records.put(SENDING.entry(b"1", self.request.expires_at, self.identifier)):
            raise SignInRequired(await self.session.records.end_reason())
        self.is_begun = True

    async def done(self, notes: Entries | None = None) -> None:
        """Let it wait no more, and note `notes` in the same step."""
        self.is_settled = True
        await note(self.session, {**(notes or {}), **self.removed()}, self.lease)

    async def withdraw(self) -> None:
        """Let it wait on: it certainly was not sent."""
        if self.is_begun and not self.is_settled:
            unmarked = self.unmarked()
            self.is_begun = False
            await note(self.session, unmarked)

    def unmarked(self) -> Entries:
        """Return what to write where it was not sent after all."""
        return {SENDING.field(self.identifier): None} if self.is_begun else {}

    def removed(self) -> Entries:
        """Return what to write where it is done with."""
        return _removed(self.identifier, marked=self.is_begun)


def record_of_parked(identifier: str) -> list[str]:
    """Return the name of the record of a parked request, to be read with the session; none of what is no identifier."""
    return [PARKED.field(identifier)] if _ID_FORM.fullmatch(identifier) else []


class ParkedRequests:
    """Keeps them; raises SessionStoreUnavailable. `now` is the wall clock in seconds."""

    def __init__(self, vault: Vault, *, now: Callable[[], float]) -> None:
        self._now = now
        self._memory = vault.memory_watch
        self._spent = SpentBytes(vault, "parked-bytes", most=PERSONS_BYTES, seconds=PARKED_SECONDS)

    def parking(
        self, request: ParkedRequest, identifier: str | None = None
    ) -> tuple[dict[str, str], dict[str, Field]]:
        """Return what a front end needs to find a parked request, and what to write to park it.

        With `identifier` it is that of a request which waits already, and keeps its name: whoever never hears this
        answer finds it where it was, with ten minutes from now.
        """
        identifier = identifier or secrets.token_urlsafe(16)
        kept = tuple((name, value) for name, value in request.headers if name.lower() not in _NOT_KEPT)
        parked = replace(request, headers=kept, expires_at=self._now() + PARKED_SECONDS)
        entry = PARKED.entry(parked_form.written(parked), parked.expires_at, identifier)
        return self.reference(identifier, parked), entry

    def reference(self, identifier: str, parked: ParkedRequest) -> dict[str, str]:
        """Return what a front end needs to find a parked request."""
        return {"id": identifier, "expires_at": rfc3339(parked.expires_at)}

    async def has_room(self, session: LiveSession, entry: dict[str, Field]) -> bool:
        """Tell whether the session's person may park so much more, where it is much; what they may is spent with it.

        The last of Redis' memory is for tokens and for small changes.
        """
        size = sum(len(field.value) for field in entry.values())
        if size <= SMALL_BYTES:
            return True
        try:
            self._memory.check()
        except SessionStoreUnavailable:
            return False
        return await self._spent.spend(digest_of(session.user.tid, session.user.oid), size)

    async def get(self, session: LiveSession, identifier: str, *, of: str | None = None) -> ParkedRequest:
        """Return a parked request of this session, where `of` is given one to that upstream; raises NotFound."""
        is_one = _ID_FORM.fullmatch(identifier) is not None
        stored = (await session.records.get(PARKED, identifier) or b"") if is_one else b""
        parked = parked_form.read(stored)
        if parked is None or parked.upstream != (of or parked.upstream):
            raise NotFound(GONE)
        return parked

    async def drop(self, session: LiveSession, identifier: str, *, of: str | None = None) -> ParkedRequest:
        """Drop a parked request, and return it; raises NotFound, and EditInProgress while it is being sent for long."""
        async with self.claimed(session, identifier, of=of) as claim:
            await session.records.put(claim.removed(), release=claim.lease)
            return claim.request

    @asynccontextmanager
    async def claimed(
        self, session: LiveSession, identifier: str, *, of: str | None = None, wait: float = WAIT_SECONDS
    ) -> AsyncIterator[Claim]:
        """Let nobody else send or drop it while the block runs; it is read anew in the step that claims it.

        A problem that the block ends in with an unknown outcome is the request's end, as is anything else that ends
        the block while it is being sent; after every other problem it waits on. Raises NotFound, and EditInProgress
        when somebody has it for longer than `wait` seconds.
        """
        if not _ID_FORM.fullmatch(identifier):
            raise NotFound(GONE)  # as of one that never was
        name, mark = PARKED.field(identifier), SENDING.field(identifier)
        try:
            async with session.records.lease(name, fields=[name, mark], wait=wait) as lease:
                parked = await self.get(session, identifier, of=of)
                if await session.records.get(SENDING, identifier):
                    await note(session, _removed(identifier, marked=True), lease)
                    raise _nobody_knows()
                claim = Claim(session, identifier, parked, lease)
                try:
                    yield claim
                except ProblemError as problem:
                    if problem.members.get("outcome") != UNKNOWN:
                        await claim.withdraw()
                    elif not claim.is_settled:
                        await claim.done()
                    raise
                finally:
                    if claim.is_begun and not claim.is_settled:
                        await claim.done()
        except LeaseTaken:
            raise EditInProgress from None


def _nobody_knows() -> NotFound:
    problem = NotFound(NOBODY_KNOWS)
    problem.members["outcome"] = UNKNOWN
    return problem


def _removed(identifier: str, *, marked: bool) -> Entries:
    removed: dict[str, Field | None] = {PARKED.field(identifier): None}
    return {**removed, SENDING.field(identifier): None} if marked else removed
