"""What a session saved in the last minute, laid over what Graph answers.

Graph may answer a read with a state of before a write that it has confirmed. Owns for how long, and over what, a saved
value is shown instead.
Never hides what somebody else saved since, where it is known what was there before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.profile.fields import EDITABLE, Changes, Profile, with_changes
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field

RECENT_SECONDS: Final = 60
# Of a field that is changed more often than that in a minute, anything is taken for old.
_MOST_BEFORE: Final = 8


@dataclass(frozen=True, slots=True)
class SavedField:
    """One field as it was saved; `before` is what a replica may still say, None for anything."""

    value: str | None
    before: list[str | None] | None
    expires_at: float

    def over(self, read: str | None) -> str | None:
        """Return what to show for what was read: what is neither ours nor older was saved by somebody since."""
        return self.value if self.before is None or read in self.before else read


SAVED: Final = RecordKind("saved", SavedField, survives_step_up=True)
FIELDS: Final = tuple(SAVED.field(field.name) for field in EDITABLE)
"""The names of all records of this kind."""


class RecentlySaved:
    """Shows what a session saved, and says what to note of it; raises SessionStoreUnavailable.

    `now` is the wall clock in seconds.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now

    async def laid_over(self, session: LiveSession, profile: Profile) -> Profile:
        """Return a profile that was read, with what was saved recently."""
        saved = await self._saved(session)
        return with_changes(profile, {name: one.over(profile[name]) for name, one in saved.items()})

    async def entries(self, session: LiveSession, changes: Changes, read: Profile | None) -> dict[str, Field]:
        """Return what to note of what was just saved; `read` is what Graph answered right before, if it was asked."""
        saved, until = await self._saved(session), self._now() + RECENT_SECONDS
        noted: dict[str, Field] = {}
        for name, value in changes.items():
            one = SavedField(value, _before(name, read, saved.get(name)), until)
            noted |= SAVED.entry(one, until, name)
        return noted

    async def _saved(self, session: LiveSession) -> dict[str, SavedField]:
        """Return the saved fields by name; there is none any more whose time is over."""
        saved: dict[str, SavedField] = {}
        for field in EDITABLE:
            if one := await session.records.get(SAVED, field.name):
                saved[field.name] = one
        return saved


def _before(name: str, read: Profile | None, earlier: SavedField | None) -> list[str | None] | None:
    if read is None or (earlier is not None and earlier.before is None):
        return None
    values = [read[name], *([*(earlier.before or []), earlier.value] if earlier else [])]
    return list(dict.fromkeys(values)) if len(values) <= _MOST_BEFORE else None
