"""What a session saved in the last minute, laid over what Graph answers.

Graph may answer a read with a state of before a write that it has confirmed. Owns for how long, and over what, a saved
value is shown instead.
Never hides what somebody else saved since, where it is known what was there before, and never shows a write of which
nobody knows whether it was done.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.profile.fields import EDITABLE, Changes, Profile, holds, with_changes
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.names import digest_of

RECENT_SECONDS: Final = 60
# Of a field that is changed more often than that in a minute, anything is taken for old.
_MOST_BEFORE: Final = 8
_HASH_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class SavedField:
    """One field as it was saved; `before` is what a replica may still say, None for anything.

    `perhaps` is what this session sent since, and nobody knows whether it was saved. Of both the hashes are kept, as
    they are only compared; the release before kept the values.
    """

    value: str | None
    before: list[str | None] | None
    expires_at: float
    perhaps: list[str | None] = field(default_factory=list)

    def over(self, read: str | None) -> str | None:
        """Return what to show for what was read: what is neither ours nor older was saved by somebody since."""
        is_older = not _among(read, self.perhaps) if self.before is None else _among(read, self.before)
        return self.value if is_older else read

    def may_outdate(self, read: str | None) -> bool:
        """Tell whether what was read may be a value from before this one was saved."""
        return read != self.value and (self.before is None or _among(read, self.before))


SAVED: Final = RecordKind("saved", SavedField, survives_step_up=True, most=len(EDITABLE.names))
_NOTHING_SAVED: Final = "nothing-saved"
FIELDS: Final = tuple(SAVED.field(editable.name) for editable in EDITABLE)
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
        if not saved:
            return profile
        return with_changes(profile, {name: one.over(profile[name]) for name, one in saved.items()})

    async def covers_anything(self, session: LiveSession) -> bool:
        """Tell whether there is something that a lagging replica may not show yet."""
        return bool(await self._saved(session))

    async def entries(
        self, session: LiveSession, changes: Changes, before: Changes | None
    ) -> dict[str, Field]:
        """Return what to note of what was just saved; `before` is what was there right before, where that is known."""
        saved, until = await self._saved(session), self._now() + RECENT_SECONDS
        noted: dict[str, Field] = {}
        for name, value in changes.items():
            one = SavedField(value, _before(name, before, saved.get(name)), until)
            noted |= SAVED.entry(one, until, name)
        return noted

    async def doubts(self, session: LiveSession, changes: Changes) -> dict[str, Field]:
        """Return what to note of changes of which nobody knows whether they were saved: they may be shown when read."""
        noted: dict[str, Field] = {}
        for name, one in (await self._saved(session)).items():
            if name in changes:
                doubted = replace(one, perhaps=[*one.perhaps, _hash(changes[name])][-_MOST_BEFORE:])
                noted |= SAVED.entry(doubted, one.expires_at, name)
        return noted

    async def proves(self, session: LiveSession, read: Profile, changes: Changes) -> bool:
        """Tell whether what was read shows that `changes` are saved: all, and none as it may have been before."""
        saved = await self._saved(session)
        outdated = (name for name, one in saved.items() if name in changes and one.may_outdate(read[name]))
        return holds(read, changes) and not any(outdated)

    async def _saved(self, session: LiveSession) -> dict[str, SavedField]:
        """Return the saved fields by name; there is none any more whose time is over."""
        if session.records.result(_NOTHING_SAVED):
            return {}
        saved = await session.records.get_all(SAVED, EDITABLE.names)
        if not saved:  # nor will there be anything unless it is written
            session.records.keep_result(_NOTHING_SAVED, result=True, until=session.absolute_at)
        return saved


def _before(name: str, read: Changes | None, earlier: SavedField | None) -> list[str | None] | None:
    if read is None or (earlier is not None and earlier.before is None):
        return None
    since = [*(earlier.before or []), _hash(earlier.value)] if earlier else []
    values = [_hash(read[name]), *since]
    return list(dict.fromkeys(values)) if len(values) <= _MOST_BEFORE else None


def _among(value: str | None, hashes: list[str | None]) -> bool:
    return _hash(value) in hashes or value in hashes


def _hash(value: str | None) -> str:
    return digest_of("saved", json.dumps(value))[:_HASH_CHARACTERS]
