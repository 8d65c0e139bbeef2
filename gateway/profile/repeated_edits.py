"""Edits with an idempotency key: what became of each, so that the same call again is answered and not done again.

Owns the record of a key: the mark of what was asked for, and whether it is saved; for ten minutes of one session, of
the last ten keys. Where nobody knew what became of the edit, it says so. No profile lies there: whoever asks again is
answered with the profile as it is then.
Never sends an edit, and never decides what becomes of one.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import IdempotencyKeyReused
from gateway.profile.fields import Changes
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field

IDEMPOTENCY_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class RepeatedAnswer:
    """What became of an edit with an idempotency key; `mark` is the hash of what was asked for.

    It is `saved`, or nobody knew. The release before wrote the `profile` that it answered instead.
    """

    mark: str
    saved: bool = False
    profile: dict[str, str | None] | None = None


MOST_KEYS: Final = 10
ANSWER: Final = RecordKind("idempotency", RepeatedAnswer, survives_step_up=True, most=MOST_KEYS)


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

    def entry(self, *, saved: bool) -> dict[str, Field]:
        """Return what to write of the edit: that it is saved, or that nobody knows."""
        return ANSWER.entry(RepeatedAnswer(self._mark, saved), self._now() + IDEMPOTENCY_SECONDS, self._name)
