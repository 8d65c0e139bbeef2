"""A person's own sessions: seen and ended from any of them.

Owns the list behind "Where you're signed in", and ending one, all others, or all of a person.
Never shows what would open a session: its id in the list is part of the hash of its id.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import NotFound
from gateway.session.indexed_sessions import Index, IndexedSession, IndexedSessions
from gateway.session.sessions import LiveSession, indexes_of
from gateway.store.names import SessionRef, digest_of
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339

_ID_CHARACTERS = 32
# Nobody has as many; an operator may allow a thousand, which nobody reads.
_MOST_SHOWN = 100


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
        return list_id(self.ref)

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
        self._sessions = IndexedSessions(vault)

    async def listed(self, tid: str, oid: str) -> list[ListedSession]:
        """Return the person's living sessions, last used first; references to ended ones are cleared away."""
        return [
            ListedSession(
                one.ref,
                one.summary.device,
                one.summary.created_at,
                one.seen_at / 1000,
                one.summary.last_mfa_at,
            )
            for one in await self._living([_person(tid, oid)])
            if one.summary
        ]

    async def end(self, session: LiveSession, identifier: str) -> None:
        """End the session of the same person that the list calls `identifier`; raises NotFound."""
        indexes = _indexes(session)
        for one in await self._living(indexes):
            if one.summary and list_id(one.ref) == identifier:
                await self._vault.ends.end_many([one.ending(indexes)], "ended-elsewhere")
                return
        raise NotFound

    async def end_others(self, session: LiveSession) -> int:
        """End every other session of the same person; return how many there were.

        Also those that are about to begin, and those that this gateway cannot open; not what a step-up in another tab
        is making of this one. Where Redis fails on the way, the error says how many are ended, and asking again ends
        the others.
        """
        index, *beside = _indexes(session)
        return await self._sessions.end(
            index, "ended-elsewhere", beside=beside, spares=lambda ref: ref.family == session.ref.family
        )

    async def end_all(self, tid: str, oid: str) -> int:
        """End every session of a person, for an operator; return how many there were."""
        return await self._sessions.end(_person(tid, oid), "ended-by-operator")

    async def shown(
        self, session: LiveSession, asked: Awaitable[list[ListedSession]] | None = None
    ) -> list[dict[str, Any]]:
        """Return the list for its person: the sessions that were used last; `asked` is what `listed` answers by now."""
        listed = await (asked or self.listed(session.user.tid, session.user.oid))
        return [one.as_json(current=one.ref == session.ref) for one in listed[:_MOST_SHOWN]]

    async def _living(self, indexes: Sequence[Index]) -> list[IndexedSession]:
        living = await self._sessions.living(indexes[0], indexes[1:])
        return sorted(living, key=lambda one: -one.seen_at)


def list_id(ref: SessionRef) -> str:
    """Return what the list calls a session."""
    return ref.digest[:_ID_CHARACTERS]


def _person(tid: str, oid: str) -> Index:
    return "person", digest_of(tid, oid)


def _indexes(session: LiveSession) -> list[Index]:
    """Return the indexes that name all sessions of the session's person; the person's own is the first."""
    return [index for index in indexes_of(session.user) if index[0] != "sid"]
