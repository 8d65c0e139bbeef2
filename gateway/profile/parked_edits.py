"""Edits that step-up interrupted, waiting for their person.

Owns their record: validated, sealed in the session that made them, ten minutes of life, one use; and the claim on one,
so that it is applied or dropped once.
Never applies one, and never finds one of another session.
"""

import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from gateway.errors import EditInProgress, NotFound
from gateway.profile.fields import Changes
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.leases import Lease, LeaseTaken
from gateway.store.names import digest_of
from gateway.store.spent_bytes import SpentBytes
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339

PARKED_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class ParkedEdit:
    """A validated change that waits for the person; `condition` is its `If-Match`, if it had one."""

    changes: Changes
    condition: str | None
    expires_at: float


MOST_PARKED: Final = 3
"""In a session; the youngest. Who saves a fourth change wants that one, and is told where the first is asked for."""
PERSONS_BYTES: Final = 65_536
"""What a person may park within ten minutes, in all of their sessions."""
SMALL_BYTES: Final = 1024
"""Not counted, and not asked for: as many as there may be are no more than that again, and people's edits are."""
PARKED: Final = RecordKind("parked", ParkedEdit, survives_step_up=True, most=MOST_PARKED)
GONE: Final = (
    "This change does not wait here any more: it was saved or dropped, ten minutes are over, or three younger changes "
    "took its place. Where the profile does not show it, send it again."
)
_MOST_TAGS: Final = 16
_OUR_TAG: Final = re.compile(r'(?<!W/)"[0-9a-f]{32}"')


class ParkedEdits:
    """Keeps them; raises SessionStoreUnavailable. `now` is the wall clock in seconds."""

    def __init__(self, vault: Vault, *, now: Callable[[], float]) -> None:
        self._now = now
        self._spent = SpentBytes(vault, "parked-bytes", most=PERSONS_BYTES, seconds=PARKED_SECONDS)

    def parking(
        self, changes: Changes, condition: str | None, identifier: str | None
    ) -> tuple[dict[str, str], dict[str, Field]]:
        """Return what a front end needs to find a parked edit, and what to write to park it.

        With `identifier` it is that of an edit which waits already, and keeps its name: whoever never hears this
        answer finds it where it was, with ten minutes from now.
        """
        identifier = identifier or secrets.token_urlsafe(16)
        parked = ParkedEdit(changes, _shortened(condition), self._now() + PARKED_SECONDS)
        reference = {"id": identifier, "expires_at": rfc3339(parked.expires_at)}
        return reference, PARKED.entry(parked, parked.expires_at, identifier)

    async def has_room(self, session: LiveSession, entry: dict[str, Field]) -> bool:
        """Tell whether the session's person may park so much more, where it is much; what they may is spent with it."""
        size = sum(len(field.value) for field in entry.values())
        if size <= SMALL_BYTES:
            return True
        return await self._spent.spend(digest_of(session.user.tid, session.user.oid), size)

    async def get(self, session: LiveSession, identifier: str) -> ParkedEdit:
        """Return a parked edit of this session; raises NotFound."""
        parked = await session.records.get(PARKED, identifier)
        if parked is None:
            raise NotFound(GONE)
        return parked

    @asynccontextmanager
    async def claimed(self, session: LiveSession, identifier: str) -> AsyncIterator[Lease]:
        """Let nobody else apply or drop it while the block runs; it is read anew in the step that claims it.

        Raises EditInProgress when somebody has it for long.
        """
        name = PARKED.field(identifier)
        try:
            async with session.records.lease(name, fields=[name]) as lease:
                yield lease
        except LeaseTaken:
            raise EditInProgress from None


def _shortened(condition: str | None) -> str | None:
    """Return what of an `If-Match` can match a profile: our own tags, of which nobody has seen many."""
    if condition is None or condition == "*":
        return condition
    return ", ".join(_OUR_TAG.findall(condition)[:_MOST_TAGS]) or '""'
