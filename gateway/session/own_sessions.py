"""A person's own sessions: seen and ended from any of them.

Owns the list behind "Where you're signed in", and ending one, all others, or all of a person.
Never shows what would open a session: its id in the list is part of the hash of its id.
"""

from dataclasses import dataclass
from typing import Any

from gateway.errors import NotFound
from gateway.session.sessions import SUMMARY, LiveSession, SessionSummary
from gateway.store.indexes import SessionIndexes
from gateway.store.names import SessionRef, digest_of
from gateway.store.stored_form import read_record
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339

_ID_CHARACTERS = 32
_SETTLED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One session of the list; times in seconds since 1970."""

    ref: SessionRef
    device: str
    created_at: float
    last_seen_at: float
    last_mfa_at: float | None

    @property
    def id(self) -> str:
        """What the list calls it."""
        return self.ref.digest[:_ID_CHARACTERS]

    def as_json(self, *, current: bool) -> dict[str, Any]:
        """Return the members of the answer."""
        return {
            "id": self.id,
            "device": self.device,
            "created_at": rfc3339(self.created_at),
            "last_seen_at": rfc3339(self.last_seen_at),
            "last_mfa_at": rfc3339(self.last_mfa_at) if self.last_mfa_at else None,
            "current": current,
        }


class OwnSessions:
    """Lists and ends the sessions of one person; everything raises SessionStoreUnavailable when Redis fails."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._indexes = SessionIndexes(vault)

    async def listed(self, tid: str, oid: str) -> list[ListedSession]:
        """Return the person's living sessions, last used first; references to ended ones are cleared away."""
        owner = digest_of(tid, oid)
        sessions: list[ListedSession] = []
        gone: list[SessionRef] = []
        references = await self._indexes.listed("person", owner, SUMMARY)
        # A session is noted a moment before it is there; only what is gone and not new is an orphan.
        settled = self._vault.known_time() - _SETTLED_SECONDS
        for reference in references:
            ref = reference.ref
            opened = self._vault.open(ref, SUMMARY, reference.stored, secret=b"")
            summary = read_record(SessionSummary, opened.value) if opened else None
            if summary:
                seen_at = reference.seen_at / 1000
                sessions.append(
                    ListedSession(ref, summary.device, summary.created_at, seen_at, summary.last_mfa_at)
                )
            # One that lives is another gateway's: sealed by a key that we have not, or of another version.
            elif not reference.seen_at and reference.indexed_at <= settled:
                gone.append(ref)
        await self._indexes.forget("person", owner, gone)
        return sorted(sessions, key=lambda one: -one.last_seen_at)

    async def end(self, session: LiveSession, identifier: str) -> None:
        """End the session of the same person that the list calls `identifier`; raises NotFound."""
        for one in await self._of(session):
            if one.id == identifier:
                await self._vault.end_with_successors(one.ref, "ended-elsewhere", _owners(session))
                return
        raise NotFound

    async def end_others(self, session: LiveSession) -> int:
        """End every other session of the same person; return how many there were.

        Also those that are about to begin, and those that this gateway cannot open; not what a step-up in another tab
        is making of this one.
        """
        refs = await self._indexes.indexed("person", digest_of(session.user.tid, session.user.oid))
        others = [ref for ref in refs if ref.family != session.ref.family]
        owners = _owners(session)
        return sum([await self._vault.end_with_successors(ref, "ended-elsewhere", owners) for ref in others])

    async def end_all(self, tid: str, oid: str) -> int:
        """End every session of a person, for an operator; return how many there were."""
        refs = await self._indexes.indexed("person", digest_of(tid, oid))
        owners = [("person", digest_of(tid, oid))]
        return sum([await self._vault.end_with_successors(ref, "ended-by-operator", owners) for ref in refs])

    async def shown(self, session: LiveSession) -> list[dict[str, Any]]:
        """Return the list for its person."""
        return [one.as_json(current=one.ref == session.ref) for one in await self._of(session)]

    async def _of(self, session: LiveSession) -> list[ListedSession]:
        return await self.listed(session.user.tid, session.user.oid)


def _owners(session: LiveSession) -> list[tuple[str, str]]:
    """Return the index that is known of the person's other sessions; what is left of the others is found later."""
    return [("person", digest_of(session.user.tid, session.user.oid))]
