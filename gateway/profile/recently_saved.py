"""What a session saved in the last minute, laid over what Graph answers.

Graph may answer a read with a state of before a write that it has confirmed. Owns for how long, and over what, a saved
value is shown instead.
Never hides what somebody else saved since, where it is known what was there before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.profile.fields import EDITABLE, Changes, Profile, with_changes
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault

LATELY_SECONDS: Final = 60
KIND: Final = "saved:"
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


class LatelySaved:
    """Notes and shows what a session saved; raises SessionStoreUnavailable. `now` is the wall clock in seconds."""

    def __init__(self, vault: Vault, *, now: Callable[[], float]) -> None:
        self._vault = vault
        self._now = now

    async def laid_over(self, session: LiveSession, profile: Profile) -> Profile:
        """Return a profile that was read, with what was saved lately."""
        saved = await self._saved(session)
        return with_changes(profile, {name: one.over(profile[name]) for name, one in saved.items()})

    async def note(self, session: LiveSession, changes: Changes, read: Profile | None) -> None:
        """Note what was just saved; `read` is what Graph answered right before, if it was asked."""
        saved = await self._saved(session)
        for name, value in changes.items():
            one = SavedField(value, _before(name, read, saved.get(name)), self._now() + LATELY_SECONDS)
            record = Field(write_record(one), one.expires_at)
            await self._vault.write(session.ref, KIND + name, record, secret=session.cookie.secret)

    async def _saved(self, session: LiveSession) -> dict[str, SavedField]:
        """Return the saved fields by name; the vault gives back none whose time is over."""
        names = [field.name for field in EDITABLE]
        stored = await self._vault.read(
            session.ref, [KIND + name for name in names], secret=session.cookie.secret
        )
        found = ((name, read_record(SavedField, value)) for name, value in zip(names, stored, strict=True))
        return {name: one for name, one in found if one is not None}


def _before(name: str, read: Profile | None, earlier: SavedField | None) -> list[str | None] | None:
    if read is None or (earlier is not None and earlier.before is None):
        return None
    known = [read[name], *([*(earlier.before or []), earlier.value] if earlier else [])]
    return list(dict.fromkeys(known)) if len(known) <= _MOST_BEFORE else None
