"""Step-up: what must be proven, kept on our side until the person has proven it.

Owns challenges, the loop guard, and the answer to "may this session edit?".
No answer of ours shows claims: the browser gets the id of a challenge, and the claims pass through it inside the
authorization request only.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gateway import errors
from gateway.demand import Demand
from gateway.session.records import Entries, RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.tokens.resources import EDIT, Resource
from gateway.tokens.token_records import GRANTED, REFUSAL, TOKEN

CHALLENGE_SECONDS: Final = 600
MOST_IN_VAIN: Final = 3
_LOOP_SECONDS: Final = 300

CHALLENGE: Final = RecordKind("challenge", Demand, most=10)
EDITED: Final = RecordKind("edited", int)
"""There since an edit went through."""
ACCESS_FIELDS: Final = (TOKEN.field(EDIT), REFUSAL.field(EDIT), GRANTED.field())
"""The names of the records that say what a session may do."""


class StepUps:
    """Keeps challenges for ten minutes in the session that met them; a step-up that succeeds ends them all.

    `max_age` is how long a confirmation lasts in seconds, or None when the authority alone decides.
    """

    def __init__(self, *, now: Callable[[], float], edit: Resource, max_age: int | None = None) -> None:
        self._now = now
        self._edit = edit
        self._max_age = max_age

    async def keep(
        self, session: LiveSession, required: errors.StepUpRequired, beside: Entries | None = None
    ) -> errors.StepUpRequired:
        """Keep what is demanded, and `beside` with it, and return the error with the way out.

        Raises StepUpLoop instead of a fourth, and SignInRequired when the session has ended.
        A confirmation that brought a token counts as in vain until an edit succeeds with it.
        """
        if await self._in_vain(session) >= MOST_IN_VAIN:
            raise errors.StepUpLoop(retry_after=_LOOP_SECONDS)
        identifier = secrets.token_urlsafe(16)
        challenge = CHALLENGE.entry(required.demand, self._now() + CHALLENGE_SECONDS, identifier)
        if not await session.records.put({**challenge, **(beside or {})}):
            raise errors.SignInRequired(await session.records.end_reason())
        # A copy: requests that waited for the same refresh share what it raised, and each gets a way of its own.
        return required.by_way_of(f"/auth/step-up?challenge={identifier}")

    async def demand(self, session: LiveSession, challenge: str | None) -> Demand:
        """Return what a step-up must bring: what `challenge` tells, else (or where it is forgotten) what an edit needs.

        Where confirmations age, each must be given on this very flow: one that the authority remembers would be
        counted as young, and whoever finds the browser open could renew it without being asked anything.
        """
        demand = Demand(self._edit.scope)
        if challenge and (stored := await session.records.get(CHALLENGE, challenge)):
            demand = stored
        return demand if self._max_age is None else replace(demand, fresh=True, max_age=None)

    def demand_freshness(self, session: LiveSession) -> None:
        """Raise StepUpRequired when there was no confirmation yet, or it is older than an edit allows."""
        if self._is_stale(session):
            raise errors.StepUpRequired(
                Demand(self._edit.scope, fresh=True), cause="there is no confirmation yet, or it is too old"
            )

    async def access(self, session: LiveSession) -> str:
        """Say whether an edit would go through now: `granted` or `step-up`; asks nobody outside.

        Once confirmed, the authority renews the edit token without asking again; unless there is nothing to renew it
        with, or that does not reach so far, or a refusal of the last seconds says otherwise.
        """
        if self._is_stale(session):
            return "step-up"
        if await session.records.get(TOKEN, self._edit.name):
            return "granted"
        if session.user.last_mfa_at is None or session.user.ends_at is not None:
            return "step-up"
        granted = await session.records.get(GRANTED)
        if granted is not None and self._edit.scope not in granted:
            return "step-up"
        refused = await session.records.get(REFUSAL, self._edit.name)
        return "step-up" if refused and not refused.beside else "granted"

    def access_until(self, session: LiveSession) -> float:
        """Return until when `access` says the same unless something is written, in seconds since 1970."""
        ends = session.records.next_end(ACCESS_FIELDS, self._now())
        last = session.user.last_mfa_at
        if self._max_age is None or last is None or self._is_stale(session):
            return ends
        return min(ends, last + self._max_age)

    def success(self, session: LiveSession) -> dict[str, Field]:
        """Return what to write once an edit went through: confirmations are not in vain."""
        return EDITED.entry(1, session.absolute_at) if session.user.step_ups_in_vain else {}

    async def _in_vain(self, session: LiveSession) -> int:
        if not session.user.step_ups_in_vain:
            return 0
        edited = await session.records.get(EDITED)
        recent = self._now() - (session.user.last_step_up_at or 0) < _LOOP_SECONDS
        return session.user.step_ups_in_vain if not edited and recent else 0

    async def in_vain_after(self, session: LiveSession) -> int:
        """Return the count that a session carries on after one more confirmation."""
        return await self._in_vain(session) + 1

    def _is_stale(self, session: LiveSession) -> bool:
        """Tell whether confirmations age here, and there is none that is young enough."""
        if self._max_age is None:
            return False
        last = session.user.last_mfa_at
        return last is None or self._now() - last >= self._max_age
