"""Edits that step-up interrupted, waiting for their person.

Owns their record: validated, sealed in the session that made them, ten minutes of life, one use; and the claim on one,
so that it is applied or dropped once.
Never applies one, and never finds one of another session.
"""

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
from gateway.timestamps import rfc3339

PARKED_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class ParkedEdit:
    """A validated change that waits for the person; `condition` is its `If-Match`, if it had one."""

    changes: Changes
    condition: str | None
    expires_at: float


PARKED: Final = RecordKind("parked", ParkedEdit, survives_step_up=True)


class ParkedEdits:
    """Keeps them; raises SessionStoreUnavailable. `now` is the wall clock in seconds."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now

    def parking(
        self, changes: Changes, condition: str | None, identifier: str | None
    ) -> tuple[dict[str, str], dict[str, Field]]:
        """Return what a front end needs to find a parked edit, and what to write to park it.

        With `identifier` it is that of an edit which waits already, and keeps its name: whoever never hears this
        answer finds it where it was, with ten minutes from now.
        """
        identifier = identifier or secrets.token_urlsafe(16)
        parked = ParkedEdit(changes, condition, self._now() + PARKED_SECONDS)
        reference = {"id": identifier, "expires_at": rfc3339(parked.expires_at)}
        return reference, PARKED.entry(parked, parked.expires_at, identifier)

    async def get(self, session: LiveSession, identifier: str) -> ParkedEdit:
        """Return a parked edit of this session; raises NotFound."""
        parked = await session.records.get(PARKED, identifier)
        if parked is None:
            raise NotFound
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
