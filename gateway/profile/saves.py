"""One save of the profile: on a condition, sent to the resource API, shown at once, and told as it is.

Owns what a failed `If-Match` means where replicas lag, and what becomes of a save whose answer is lost.
Never keeps what a step-up interrupts, and writes nothing to the session: it says what to note.
"""

import logging
from dataclasses import dataclass
from typing import Final

from gateway import errors
from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.flows.access_rules import PROFILE_EDIT
from gateway.flows.step_up import StepUps
from gateway.profile.fields import Changes, Profile, holds, with_changes
from gateway.profile.graph import ProfileReader
from gateway.profile.recently_saved import RecentlySaved
from gateway.profile.resource_client import ApiEdit, ResourceApiClient
from gateway.proxy.notes import note, noting
from gateway.session.records import Entries
from gateway.session.sessions import LiveSession
from servicekit.errors import UNKNOWN, ResourceUnavailable
from servicekit.http.conditions import ANY, etag_of, matches, that_can_match
from servicekit.logs import log_event
from servicekit.problems import ProblemError

# How many states a lagging Graph may show one after another, before a save goes out on any.
_MOST_STATES: Final = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """A profile as it now is, and what to note of the save that made it so."""

    profile: Profile
    notes: Entries


class ProfileSaves:
    """Reads and saves the profile of a session's person."""

    def __init__(
        self,
        reader: ProfileReader,
        editor: ResourceApiClient,
        step_ups: StepUps,
        recent: RecentlySaved,
        audit: Audit,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._step_ups = step_ups
        self._recent = recent
        self._audit = audit

    async def read(self, session: LiveSession) -> Profile:
        """Return the profile, with what this session saved in the last minute; raises as `ProfileReader.read` does."""
        read = await self._reader.read(session)
        await note(session, self._step_ups.success(session, self._reader.resource))
        return await self._recent.laid_over(session, read)

    async def save(self, session: LiveSession, changes: Changes, condition: str | None) -> Saved:
        """Apply `changes` to the profile that `condition` (an `If-Match`) names.

        Raises ProfileChanged, StepUpRequired, and what `ResourceApiClient.edit` and `ProfileReader.read` raise.
        """
        if not changes or await self._is_judged_here(session, condition):
            return await self._save_what_is_read(session, changes, condition)
        try:
            self._step_ups.demand_freshness(session, self._step_ups.rules[PROFILE_EDIT])
            return await self._sent(session, changes, condition, asks=condition and that_can_match(condition))
        except errors.StepUpRequired:
            # Whoever would meet a conflict is told so before they confirm anything.
            if condition and (settled := _settled(await self.read(session), changes, condition)):
                return settled
            raise

    async def found(self, session: LiveSession, changes: Changes) -> Saved | None:
        """Return a save of which nobody knew what became of it, where it is seen to be done; otherwise None."""
        seen = await self._seen(session, changes)
        return await self._saved(session, ApiEdit(seen), changes) if seen else None

    async def _is_judged_here(self, session: LiveSession, condition: str | None) -> bool:
        """Tell whether a condition must not go out as it is.

        A replica that lags behind this session's own save may show a state that the condition names and the person has
        left: the API would take it for current. What names no tag of ours is no question to the API, and one that
        judges no condition is no judge.
        """
        if condition is None or condition == ANY:
            return False
        is_asked = self._editor.judges_conditions and that_can_match(condition) is not None
        return not is_asked or await self._recent.covers_anything(session)

    async def _save_what_is_read(
        self, session: LiveSession, changes: Changes, condition: str | None
    ) -> Saved:
        """Judge a condition by what is read here, and let the API judge that nobody has written since."""
        read = await self._reader.read(session)
        current = await self._recent.laid_over(session, read)
        settled = _settled(current, changes, condition or ANY)
        if settled or not changes:
            return settled or Saved(current, {})
        self._step_ups.demand_freshness(session, self._step_ups.rules[PROFILE_EDIT])
        return await self._sent(session, changes, condition, asks=etag_of(read))

    async def _sent(
        self, session: LiveSession, changes: Changes, condition: str | None, *, asks: str | None
    ) -> Saved:
        """Send a save on the condition `asks`; where that fails for a state that is only old, ask for this one."""
        for _ in range(_MOST_STATES):
            try:
                return await self._saved(session, await self._send(session, changes, asks), changes)
            except errors.ProfileChanged as changed:
                current = await self._recent.laid_over(session, Profile(changed.profile))
                if settled := _settled(current, changes, condition or ANY):
                    return settled
                asks = changed.etag
        return await self._saved(session, await self._send(session, changes, ANY), changes)

    async def _saved(self, session: LiveSession, edit: ApiEdit, changes: Changes) -> Saved:
        profile: Profile = edit.profile
        notes: Entries = {}
        self._audit.record(facts.PROFILE_EDIT, session.subject, fields=list(changes))
        with noting(session):
            notes = {
                **await self._recent.entries(session, changes, edit.before),
                **self._step_ups.success(session, self._editor.resource),
            }
            profile = await self._recent.laid_over(session, profile)
        return Saved(with_changes(profile, changes), notes)

    async def _send(self, session: LiveSession, changes: Changes, condition: str | None) -> ApiEdit:
        """Send the save; where nobody knows what became of it, look it up, and believe only what is there."""
        try:
            return await self._editor.edit(session, changes, condition)
        except ResourceUnavailable as lost:
            if not is_unknown(lost):
                raise
            if found := await self._seen(session, changes):
                return ApiEdit(found)
            with noting(session):
                await note(session, await self._recent.doubts(session, changes))
            raise

    async def _seen(self, session: LiveSession, changes: Changes) -> Profile | None:
        try:
            read = await self._reader.read(session)
            if not await self._recent.proves(session, read, changes):
                return None
        except ProblemError:
            return None
        log_event(_log, logging.INFO, "edit-looked-up", session=session.ref.short)
        return read


def is_unknown(problem: ProblemError) -> bool:
    """Tell whether nobody knows what became of a write."""
    return problem.members.get("outcome") == UNKNOWN


def _settled(current: Profile, changes: Changes, condition: str) -> Saved | None:
    """Return what a condition comes to where it fails: nothing to do, or ProfileChanged; None where it holds.

    What is there already is ours perhaps, and only the answer was lost: that is no conflict (RFC 9110, section 13.1.1).
    """
    if matches(condition, etag_of(current)):
        return None
    if changes and holds(current, changes):
        return Saved(current, {})
    raise errors.ProfileChanged(current, etag_of(current))
