"""Edits of the profile: conditional, repeatable, parked when step-up interrupts them, shown at once when done.

Owns `If-Match`, what becomes of a parked edit that is applied, and of an edit whose answer is lost.
Never applies a parked edit by itself: the person sees what will change, and confirms.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs

from gateway import errors
from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.flows.access_rules import PROFILE_EDIT
from gateway.flows.step_up import ACCEPTED, StepUps
from gateway.profile.fields import Changes, Profile, etag_of, holds, matches, with_changes
from gateway.profile.graph import ProfileReader
from gateway.profile.parked_edits import as_request, changes_of
from gateway.profile.recently_saved import FIELDS as SAVED_FIELDS
from gateway.profile.recently_saved import RecentlySaved
from gateway.profile.repeated_edits import repeated_edit
from gateway.profile.resource_client import ResourceApiClient
from gateway.proxy.interruptions import PARKED_MEMBER, Interruptions
from gateway.proxy.notes import note, noting
from gateway.proxy.parked_form import PROFILE
from gateway.proxy.parked_requests import Claim, ParkedRequests
from gateway.proxy.repeats import RepeatedAnswer
from gateway.session.records import Entries
from gateway.session.sessions import LiveSession
from gateway.store.leases import LeaseTaken
from gateway.timestamps import rfc3339
from gateway.tokens.resources import EDIT, GRAPH
from gateway.tokens.token_records import TOKEN
from servicekit.errors import UNKNOWN, ResourceUnavailable
from servicekit.logs import log_event
from servicekit.problems import ProblemError

_log = logging.getLogger(__name__)


FIELDS_TO_READ: Final = (TOKEN.field(GRAPH), *SAVED_FIELDS)
FIELDS_TO_EDIT: Final = (TOKEN.field(EDIT), ACCEPTED.field(), *FIELDS_TO_READ)
"""The names of the records that reading and editing need while their tokens live."""


@dataclass(frozen=True, slots=True)
class _Edited:
    """A profile as it now is, and what to note of the edit that made it so."""

    profile: Profile
    notes: Entries


class ProfileEdits:
    """Reads and edits the profile of a session's person; `now` is the wall clock in seconds."""

    def __init__(
        self,
        reader: ProfileReader,
        editor: ResourceApiClient,
        step_ups: StepUps,
        parked: ParkedRequests,
        audit: Audit,
        *,
        interruptions: Interruptions,
        now: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._step_ups = step_ups
        self._audit = audit
        self._recent = RecentlySaved(now=now)
        self._parked = parked
        self._interruptions = interruptions
        self._now = now

    async def profile(self, session: LiveSession) -> Profile:
        """Return the profile, with what this session saved in the last minute."""
        try:
            return await self._read(session)
        except errors.StepUpRequired as required:
            raise await self._step_ups.keep(session, required) from required

    async def save(
        self, session: LiveSession, changes: Changes, *, condition: str | None, key: str | None
    ) -> Profile:
        """Apply `changes` and return the profile as it now is; parks them when step-up is needed.

        `condition` is `If-Match`, `key` the `Idempotency-Key`: where nobody knew what became of the edit with this key,
        it is looked up before it is sent again. Raises ProfileChanged, EditInProgress,
        IdempotencyKeyReused, StepUpRequired (with `parked_edit`), and what `ResourceApiClient.edit` raises.
        """
        if key is None:
            edited = await self._apply_or_park(session, changes, condition)
            await note(session, edited.notes)
            return edited.profile
        repeated = repeated_edit(key, changes, condition, now=self._now)
        try:
            async with session.records.lease(repeated.field, fields=[repeated.field], wait=0) as lease:
                earlier = await repeated.earlier(session)
                if earlier and (earlier.saved or earlier.profile):
                    return await self._as_it_now_is(session, earlier)
                try:
                    found = await self._found(session, changes) if earlier else None
                    edited = found or await self._apply_or_park(session, changes, condition)
                except ProblemError as problem:
                    if _is_unknown(problem):
                        await note(session, repeated.entry(saved=False), lease)
                    raise
                await note(session, {**edited.notes, **repeated.entry(saved=True)}, lease)
                return edited.profile
        except LeaseTaken:
            raise errors.EditInProgress from None

    async def parked(self, session: LiveSession, identifier: str) -> dict[str, Any]:
        """Return a parked edit for its person: what changes, from what, to what; raises NotFound."""
        parked = await self._parked.get(session, identifier, of=PROFILE)
        profile = await self.profile(session)
        return {
            "id": identifier,
            "changes": [
                {"field": field, "from": profile.get(field), "to": value}
                for field, value in changes_of(parked).items()
            ],
            "expires_at": rfc3339(parked.expires_at),
        }

    async def apply_parked(self, session: LiveSession, identifier: str) -> Profile:
        """Apply a parked edit, once; raises NotFound, and what `save` raises; after a further step-up it waits on.

        It is removed only after it was applied: a gateway that dies in between leaves it to be confirmed again. Two
        confirmations race for the claim; the second finds nothing.
        """
        async with self._parked.claimed(session, identifier, of=PROFILE) as claim:
            condition = claim.request.header(hdrs.IF_MATCH)
            try:
                edited = await self._apply_or_park(session, changes_of(claim.request), condition, claim)
            except errors.ProfileChanged:
                # The person was shown what changed elsewhere.
                await claim.done()
                raise
            await claim.done(edited.notes)
            return edited.profile

    async def drop_parked(self, session: LiveSession, identifier: str) -> None:
        """Drop a parked edit; raises NotFound, also where it is being applied: what was dropped is not saved."""
        await self._parked.drop(session, identifier, of=PROFILE)

    async def _as_it_now_is(self, session: LiveSession, earlier: RepeatedAnswer) -> Profile:
        """Return the profile to whoever asks again for an edit that is saved."""
        if earlier.profile:
            return Profile(earlier.profile)
        try:
            return await self.profile(session)
        except ResourceUnavailable as lost:
            # Whoever reads that nothing was saved would be misled; whoever looks again sees it.
            lost.members["outcome"] = UNKNOWN
            raise

    async def _read(self, session: LiveSession) -> Profile:
        return await self._recent.laid_over(session, await self._reader.read(session))

    async def _apply_or_park(
        self, session: LiveSession, changes: Changes, condition: str | None, claim: Claim | None = None
    ) -> _Edited:
        try:
            with self._audit.failures(
                facts.PROFILE_EDIT, session.subject, fields=list(changes), but=errors.StepUpRequired
            ):
                return await self._apply(session, changes, condition)
        except errors.StepUpRequired as required:
            request = as_request(changes, condition)
            step_up = await self._interruptions.kept(
                session, required, request, claim=claim, fields=list(changes)
            )
            step_up.members["parked_edit"] = step_up.members.pop(PARKED_MEMBER, None)
            raise step_up from None

    async def _apply(self, session: LiveSession, changes: Changes, condition: str | None) -> _Edited:
        read = None
        if condition is not None:
            read = await self._reader.read(session)
            current = await self._recent.laid_over(session, read)
            if not matches(condition, etag_of(current)):
                # Ours perhaps, and only the answer was lost: that is no conflict (RFC 9110, section 13.1.1).
                if changes and holds(current, changes):
                    return _Edited(current, {})
                raise errors.ProfileChanged(current, etag_of(current))
        if not changes:
            return _Edited(await self._read(session), {})
        self._step_ups.demand_freshness(session, self._step_ups.rules[PROFILE_EDIT])
        return await self._edited(session, await self._sent(session, changes), changes, read)

    async def _edited(
        self, session: LiveSession, profile: Profile, changes: Changes, read: Profile | None
    ) -> _Edited:
        notes: Entries = {}
        self._audit.record(facts.PROFILE_EDIT, session.subject, fields=list(changes))
        with noting(session):
            notes = {
                **await self._recent.entries(session, changes, read),
                **self._step_ups.success(session, self._editor.resource),
            }
            profile = await self._recent.laid_over(session, profile)
        return _Edited(with_changes(profile, changes), notes)

    async def _sent(self, session: LiveSession, changes: Changes) -> Profile:
        """Send the edit; where nobody knows what became of it, look it up, and believe only what is there."""
        try:
            return await self._editor.edit(session, changes)
        except ResourceUnavailable as lost:
            if not _is_unknown(lost):
                raise
            if found := await self._seen(session, changes):
                return found
            with noting(session):
                await note(session, await self._recent.doubts(session, changes))
            raise

    async def _found(self, session: LiveSession, changes: Changes) -> _Edited | None:
        """Return an edit of which nobody knew what became of it, where it is seen to be saved; otherwise None."""
        seen = await self._seen(session, changes)
        return await self._edited(session, seen, changes, None) if seen else None

    async def _seen(self, session: LiveSession, changes: Changes) -> Profile | None:
        try:
            read = await self._reader.read(session)
            if not await self._recent.proves(session, read, changes):
                return None
        except ProblemError:
            return None
        log_event(_log, logging.INFO, "edit-looked-up", session=session.ref.short)
        return read


def _is_unknown(problem: ProblemError) -> bool:
    return problem.members.get("outcome") == UNKNOWN
