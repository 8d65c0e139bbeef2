"""What becomes of a request that step-up interrupts: it waits for its person, or its person hears that it does not.

Owns that decision and what is said of it. Never sends a request again by itself: the person sees it, and confirms.
"""

from collections.abc import Sequence
from typing import Final

from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.counts import Counts
from gateway.errors import StepUpRequired
from gateway.flows.step_up import StepUps
from gateway.proxy.parked_form import PROFILE, ParkedRequest
from gateway.proxy.parked_requests import Claim, ParkedRequests
from gateway.session.records import Entries
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from servicekit.audit.fact import REFUSED

PARKED_MEMBER: Final = "parked"
"""The member of the problem that says where it waits."""
_CONFIRM: Final = "This needs a second confirmation of who you are. "
NO_ROOM: Final = _CONFIRM + (
    "The change does not wait here meanwhile, as too many do already: send it again when you have confirmed."
)
TOO_LARGE: Final = _CONFIRM + (
    "The change does not wait here meanwhile, as it is too large: send it again when you have confirmed."
)


class Interruptions:
    """Keeps what is demanded, and the request that met it."""

    def __init__(self, parked: ParkedRequests, step_ups: StepUps, audit: Audit, counts: Counts) -> None:
        self._parked = parked
        self._step_ups = step_ups
        self._audit = audit
        self._counts = counts

    async def kept(
        self,
        session: LiveSession,
        required: StepUpRequired,
        request: ParkedRequest,
        *,
        claim: Claim | None = None,
        fields: Sequence[str] = (),
    ) -> StepUpRequired:
        """Park `request` and return the error with the way out and, where it waits, `parked`.

        With `claim` it waits already, and keeps its id: for ten minutes from now, or as long as it did where its
        person has parked much in the last minutes. `fields` are the names of what an edit changes, for the audit trail.
        Raises what `StepUps.keep` raises; then a request that waited waits on.
        """
        reference, entry = self._parked.parking(request, claim.identifier if claim else None)
        fits = await self._parked.has_room(session, entry)
        parked: dict[str, Field] = entry if fits else {}
        unmarked: Entries = claim.unmarked() if claim else {}
        step_up = await self._step_ups.keep(session, required, {**parked, **unmarked})
        if claim:
            claim.is_begun = False
        if fits and all(session.records.raw(list(entry))):
            step_up.members[PARKED_MEMBER] = reference
        elif claim and not fits:
            step_up.members[PARKED_MEMBER] = self._parked.reference(claim.identifier, claim.request)
        else:
            step_up.detail = NO_ROOM
        self._tell(session, step_up, request, fields)
        return step_up

    async def not_kept(self, session: LiveSession, required: StepUpRequired, upstream: str) -> StepUpRequired:
        """Return the error with the way out for a request that is too large to wait, and says so."""
        step_up = await self._step_ups.keep(session, required)
        step_up.detail = TOO_LARGE
        self._counts.parked(upstream, "too-large")
        return step_up

    async def drop(self, session: LiveSession, identifier: str, *, of: str | None = None) -> None:
        """Drop what waits, and tell of it; raises as `ParkedRequests.drop` does."""
        dropped = await self._parked.drop(session, identifier, of=of)
        if dropped.upstream == PROFILE:
            self._audit.record(facts.PARKED_EDIT_DROPPED, session.subject)
        else:
            self._audit.record(
                facts.PARKED_REQUEST_DROPPED,
                session.subject,
                upstream=dropped.upstream,
                method=dropped.method,
            )
        self._counts.parked(dropped.upstream, "dropped")

    def _tell(
        self, session: LiveSession, step_up: StepUpRequired, request: ParkedRequest, fields: Sequence[str]
    ) -> None:
        if PARKED_MEMBER not in step_up.members:
            self._counts.parked(request.upstream, "no-room")
            return
        self._counts.parked(request.upstream, "waits")
        if request.upstream == PROFILE:
            self._audit.record(
                facts.EDIT_PARKED, session.subject, outcome=REFUSED, reason=step_up.slug, fields=fields
            )
        else:
            self._audit.record(
                facts.REQUEST_PARKED,
                session.subject,
                outcome=REFUSED,
                reason=step_up.slug,
                upstream=request.upstream,
                method=request.method,
            )
