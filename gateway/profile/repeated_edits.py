"""Edits with an idempotency key: what was answered, so that the same call again is answered and not done again.

Owns the record of a key: the mark of what was asked for, and the profile that was answered; for ten minutes of one
session. Where nobody knew what became of the edit, it says so.
Never sends an edit, and never decides what becomes of one.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import IdempotencyKeyReused
from gateway.profile.fields import Changes, Profile
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field

IDEMPOTENCY_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class RepeatedAnswer:
    """The answer to an edit with an idempotency key; `mark` is the hash of what was asked for.

    `profile` is None where nobody knew what became of the edit.
    """

    mark: str
    profile: dict[str, str | None] | None


ANSWER: Final = RecordKind("idempotency", RepeatedAnswer, survives_step_up=True)


def answer_key(idempotency_key: str) -> str:
    """Return the key of the record of an idempotency key's answer."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]


class RepeatedEdit:
    """One call with a key; `now` is the wall clock in seconds."""

    def __init__(
        self, key: str, changes: Changes, condition: str | None, *, now: Callable[[], float]
    ) -> None:
        self._name = answer_key(key)
        self._mark = hashlib.sha256(json.dumps([changes, condition], sort_keys=True).encode()).hexdigest()
        self._now = now

    @property
    def field(self) -> str:
        """The name of the record, and of the lock under which the edit is made."""
        return ANSWER.field(self._name)

    async def earlier(self, session: LiveSession) -> RepeatedAnswer | None:
        """Return what is known of the call before; raises IdempotencyKeyReused where that asked for something else."""
        earlier = await session.records.get(ANSWER, self._name)
        if earlier and earlier.mark != self._mark:
            raise IdempotencyKeyReused
        return earlier

    def entry(self, profile: Profile | None) -> dict[str, Field]:
        """Return what to write of the answer: the profile, or None where nobody knows."""
        return ANSWER.entry(
            RepeatedAnswer(self._mark, profile), self._now() + IDEMPOTENCY_SECONDS, self._name
        )
