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

from gateway.errors import EditInProgress, NotFound, SignInRequired
from gateway.profile.fields import Changes
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.leases import LeaseTaken, lease
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339

PARKED_SECONDS: Final = 600
KIND: Final = "parked:"


@dataclass(frozen=True, slots=True)
class ParkedEdit:
    """A validated change that waits for the person; `condition` is its `If-Match`, if it had one."""

    changes: Changes
    condition: str | None
    expires_at: float


class ParkedEdits:
    """Keeps them; raises SessionStoreUnavailable. `now` is the wall clock in seconds."""

    def __init__(self, vault: Vault, *, now: Callable[[], float]) -> None:
        self._vault = vault
        self._now = now

    async def park(self, session: LiveSession, changes: Changes, condition: str | None) -> dict[str, str]:
        """Keep an edit, and return what a front end needs to find it; raises SignInRequired."""
        identifier = secrets.token_urlsafe(16)
        parked = ParkedEdit(changes, condition, self._now() + PARKED_SECONDS)
        value = Field(write_record(parked), parked.expires_at)
        if not await self._vault.write(session.ref, KIND + identifier, value, secret=session.cookie.secret):
            raise SignInRequired(await self._vault.ended(session.ref))
        return {"id": identifier, "expires_at": rfc3339(parked.expires_at)}

    async def find(self, session: LiveSession, identifier: str) -> ParkedEdit:
        """Return a parked edit of this session; raises NotFound."""
        (stored,) = await self._vault.read(session.ref, [KIND + identifier], secret=session.cookie.secret)
        parked = read_record(ParkedEdit, stored)
        if parked is None:
            raise NotFound
        return parked

    async def remove(self, session: LiveSession, identifier: str) -> None:
        """Take it away; one that is not there is no fault."""
        await self._vault.remove(session.ref, KIND + identifier)

    @asynccontextmanager
    async def claimed(self, session: LiveSession, identifier: str) -> AsyncIterator[None]:
        """Let nobody else apply or drop it while the block runs; raises EditInProgress when somebody does for long."""
        try:
            async with lease(self._vault, session.ref, KIND + identifier):
                yield
        except LeaseTaken:
            raise EditInProgress from None
