"""A person's own last entries: what was done with their account, for them to look through.

Owns the entries in Redis: sealed, at most fifty a person, and gone a while after the last one.
Never holds a value, a token or a whole address, and never holds a request up: entries are written beside what is under
way, one upon the other, and lost where Redis is away for long. The trail has them all the same.
"""

import asyncio
import contextlib
import contextvars
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.entry_lists import EntryLists
from gateway.store.names import digest_of
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339

MOST_ENTRIES: Final = 50
KEPT_SECONDS: Final = 7 * 24 * 3600
_KIND: Final = "activity"
_MOST_WAITING: Final = 1000
_PAUSES: Final = (0.25, 1.0, 4.0)
_PARTING_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One thing that was done; `at` in seconds since 1970, `session` the keyed hash of the session it was done in."""

    at: float
    event: str
    outcome: str
    session: str
    reference: str = ""
    device: str = ""
    network: str = ""
    reason: str = ""
    fields: tuple[str, ...] = ()
    sessions: int | None = None

    def as_json(self, *, current: bool) -> dict[str, Any]:
        """Return the members of the answer."""
        members = {
            "at": rfc3339(self.at),
            "event": self.event,
            "outcome": self.outcome,
            "reason": self.reason,
            "device": self.device,
            "network": self.network,
            "fields": list(self.fields),
            "sessions": self.sessions,
            "reference": self.reference,
        }
        filled = {name: value for name, value in members.items() if value not in (None, "", [])}
        return {**filled, "session": {"id": self.session, "current": current}}


class Activity:
    """Keeps the last entries of each person, `kept_seconds` after the last one."""

    def __init__(self, vault: Vault, *, kept_seconds: int = KEPT_SECONDS) -> None:
        self._lists = EntryLists(vault, _KIND, most=MOST_ENTRIES, ttl=kept_seconds)
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=_MOST_WAITING)
        self._writing: asyncio.Task[None] | None = None

    def note(self, tid: str, oid: str, entry: ActivityEntry) -> None:
        """Have an entry written soon; of more than a thousand that wait, the oldest is lost."""
        owner = digest_of(tid, oid)
        self._waiting.append((owner, self._lists.seal(owner, write_record(entry))))
        if self._writing is None or self._writing.done():
            # Beside the request, and without its budget.
            self._writing = asyncio.create_task(self._write(), context=contextvars.Context())

    async def entries(self, tid: str, oid: str) -> list[ActivityEntry]:
        """Return the person's entries, newest first; raises SessionStoreUnavailable."""
        await self._written()
        stored = await self._lists.read(digest_of(tid, oid))
        entries = [read_record(ActivityEntry, entry) for entry in stored]
        return sorted((entry for entry in entries if entry), key=lambda entry: -entry.at)

    async def aclose(self) -> None:
        """Write what waits, for a moment at most."""
        await self._written(_PARTING_SECONDS)
        if self._writing:
            self._writing.cancel()

    async def _written(self, seconds: float = _PAUSES[0]) -> None:
        """Wait for a moment until this process has written what it noted."""
        if self._writing and not self._writing.done():
            await asyncio.wait([self._writing], timeout=seconds)

    async def _write(self) -> None:
        for pause in (*_PAUSES, None):
            with contextlib.suppress(SessionStoreUnavailable):
                while self._waiting:
                    owner, sealed = self._waiting[0]
                    await self._lists.prepend(owner, sealed)
                    self._waiting.remove((owner, sealed))
                return
            if pause is not None:
                await asyncio.sleep(pause)
        self._waiting.clear()
