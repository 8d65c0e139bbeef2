"""The profile of a session's person: read, and edited by calls that may be repeated, or wait for a step-up.

Owns what becomes of a call with an idempotency key, and of a parked edit that is applied; what one save is stands in
`saves.py`.
Never applies a parked edit by itself: the person sees what will change, and confirms.
"""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import hdrs

from gateway import errors
from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.flows.step_up import ACCEPTED, StepUps
from gateway.profile.edit_request import as_request, changes_of, repeated_edit
from gateway.profile.fields import Changes, Profile
from gateway.profile.recently_saved import FIELDS as SAVED_FIELDS
from gateway.profile.saves import ProfileSaves, Saved, is_unknown
from gateway.proxy.interruptions import PARKED_MEMBER, Interruptions
from gateway.proxy.notes import note
from gateway.proxy.parked_form import PROFILE
from gateway.proxy.parked_requests import Claim, ParkedRequests
from gateway.proxy.repeats import RepeatedAnswer
from gateway.session.sessions import LiveSession
from gateway.store.leases import LeaseTaken
from gateway.timestamps import rfc3339
from gateway.tokens.resources import EDIT, GRAPH
from gateway.tokens.token_records import TOKEN
from servicekit.errors import UNKNOWN, ResourceUnavailable
from servicekit.problems import ProblemError

FIELDS_TO_READ: Final = (TOKEN.field(GRAPH), ACCEPTED.field(GRAPH), *SAVED_FIELDS)
FIELDS_TO_EDIT: Final = (TOKEN.field(EDIT), ACCEPTED.field(), *FIELDS_TO_READ)
"""The names of the records that reading and editing need while their tokens live."""


class ProfileEdits:
    """Reads and edits the profile of a session's person; `now` is the wall clock in seconds."""

    def __init__(
        self,
        saves: ProfileSaves,
        step_ups: StepUps,
        parked: ParkedRequests,
        audit: Audit,
        *,
        interruptions: Interruptions,
        now: Callable[[], float],
    ) -> None:
        self._saves = saves
        self._step_ups = step_ups
        self._audit = audit
        self._parked = parked
        self._interruptions = interruptions
        self._now = now

    async def profile(self, session: LiveSession) -> Profile:
        """Return the profile, with what this session saved in the last minute."""
        try:
            return await self._saves.read(session)
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
            saved = await self._saved_or_parked(session, changes, condition)
            await note(session, saved.notes)
            return saved.profile
        repeated = repeated_edit(key, changes, condition, now=self._now)
        try:
            async with session.records.lease(repeated.field, fields=[repeated.field], wait=0) as lease:
                earlier = await repeated.earlier(session)
                if earlier and (earlier.saved or earlier.profile):
                    return await self._as_it_now_is(session, earlier)
                try:
                    found = await self._saves.found(session, changes) if earlier else None
                    saved = found or await self._saved_or_parked(session, changes, condition)
                except ProblemError as problem:
                    if is_unknown(problem):
                        await note(session, repeated.entry(saved=False), lease)
                    raise
                await note(session, {**saved.notes, **repeated.entry(saved=True)}, lease)
                return saved.profile
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
                saved = await self._saved_or_parked(session, changes_of(claim.request), condition, claim)
            except errors.ProfileChanged:
                # The person was shown what changed elsewhere.
                await claim.done()
                raise
            await claim.done(saved.notes)
            return saved.profile

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

    async def _saved_or_parked(
        self, session: LiveSession, changes: Changes, condition: str | None, claim: Claim | None = None
    ) -> Saved:
        try:
            with self._audit.failures(
                facts.PROFILE_EDIT, session.subject, fields=list(changes), but=errors.StepUpRequired
            ):
                return await self._saves.save(session, changes, condition)
        except errors.StepUpRequired as required:
            request = as_request(changes, condition)
            step_up = await self._interruptions.kept(
                session, required, request, claim=claim, fields=list(changes)
            )
            step_up.members["parked_edit"] = step_up.members.pop(PARKED_MEMBER, None)
            raise step_up from None
