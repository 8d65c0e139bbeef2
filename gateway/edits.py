"""Edits of the profile: conditional, repeatable, parked when step-up interrupts them, shown at once when done.

Owns parked edits, idempotency keys, `If-Match`, and the overlay that covers Graph's replication lag.
Never applies a parked edit by itself: the person sees what will change, and confirms.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway import errors
from gateway.graph import ProfileReader
from gateway.profile import Changes, Profile, etag_of, matches, with_changes
from gateway.resource_client import ProfileEditor
from gateway.sessions import LiveSession
from gateway.step_up import StepUps
from gateway.timestamps import rfc3339
from gateway.vault import Field, Vault
from servicekit.problems import ProblemError

PARKED_SECONDS: Final = 600
OVERLAY_SECONDS: Final = 60
IDEMPOTENCY_SECONDS: Final = 600
IN_PROGRESS_SECONDS: Final = 60
_OVERLAY: Final = "overlay"


@dataclass(frozen=True, slots=True)
class ParkedEdit:
    """A validated change that waits for the person; `condition` is its `If-Match`, if it had one."""

    changes: Changes
    condition: str | None
    expires_at: float


class ProfileEdits:
    """Reads and edits the profile of a session's person; `now` is the wall clock in seconds."""

    def __init__(
        self,
        vault: Vault,
        reader: ProfileReader,
        editor: ProfileEditor,
        step_ups: StepUps,
        *,
        now: Callable[[], float],
    ) -> None:
        self._vault = vault
        self._reader = reader
        self._editor = editor
        self._step_ups = step_ups
        self._now = now

    async def profile(self, session: LiveSession) -> Profile:
        """Return the profile, with what this session saved in the last minute laid over it.

        Graph may answer a read with the state before a write that it has confirmed.
        """
        try:
            profile = await self._reader.read(session)
        except errors.StepUpRequired as required:
            raise await self._step_ups.keep(session, required) from required
        saved = await self._load(session, _OVERLAY)
        return with_changes(profile, saved) if saved else profile

    async def save(
        self, session: LiveSession, changes: Changes, *, condition: str | None, key: str | None
    ) -> Profile:
        """Apply `changes` and return the profile as it now is; parks them when step-up is needed.

        `condition` is `If-Match`, `key` the `Idempotency-Key`. Raises ProfileChanged, EditInProgress,
        IdempotencyKeyReused, StepUpRequired (with `parked_edit`), and what `ProfileEditor.edit` raises.
        """
        if key is None:
            return await self._save_or_park(session, changes, condition)
        name = f"idempotency:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        mark = hashlib.sha256(json.dumps([changes, condition], sort_keys=True).encode()).hexdigest()
        holder = await self._vault.lock(session.ref, name, seconds=IN_PROGRESS_SECONDS)
        if holder is None:
            raise errors.EditInProgress
        try:
            if known := await self._load(session, name):
                if known["mark"] != mark:
                    raise errors.IdempotencyKeyReused
                return Profile(known["profile"])
            profile = await self._save_or_park(session, changes, condition)
            await self._keep(session, name, {"mark": mark, "profile": profile}, IDEMPOTENCY_SECONDS)
            return profile
        finally:
            await self._vault.unlock(session.ref, name, holder)

    async def parked(self, session: LiveSession, identifier: str) -> dict[str, Any]:
        """Return a parked edit for its person: what changes, from what, to what; raises NotFound."""
        parked = await self._parked(session, identifier)
        profile = await self.profile(session)
        return {
            "id": identifier,
            "changes": [
                {"field": field, "from": profile.get(field), "to": value}
                for field, value in parked.changes.items()
            ],
            "expires_at": rfc3339(parked.expires_at),
        }

    async def apply_parked(self, session: LiveSession, identifier: str) -> Profile:
        """Apply a parked edit, once; raises NotFound, and what `save` raises (a further step-up parks it anew)."""
        parked = await self._parked(session, identifier)
        # Two confirmations race for the removal, and one wins.
        if not await self._vault.remove(session.ref, f"parked:{identifier}"):
            raise errors.NotFound
        try:
            return await self.save(session, parked.changes, condition=parked.condition, key=None)
        except (errors.ProfileChanged, errors.StepUpRequired):
            raise
        except ProblemError as problem:
            if problem.members.get("outcome") != "unknown":
                # Nothing was written: the person may confirm again.
                await self._keep_parked(session, identifier, parked)
            raise

    async def drop_parked(self, session: LiveSession, identifier: str) -> None:
        """Drop a parked edit; raises NotFound."""
        await self._parked(session, identifier)
        await self._vault.remove(session.ref, f"parked:{identifier}")

    async def carried_over(self, session: LiveSession) -> dict[str, Field]:
        """Return what outlives a change of the session's id: parked edits and the overlay."""
        names = [*await self._vault.names(session.ref, "parked:"), _OVERLAY]
        stored = await self._vault.read(session.ref, names, secret=session.cookie.secret)
        carried: dict[str, Field] = {}
        for name, value in zip(names, stored, strict=True):
            if value is not None:
                ends = json.loads(value).get("expires_at", self._now() + OVERLAY_SECONDS)
                carried[name] = Field(value, ends)
        return carried

    async def _save_or_park(self, session: LiveSession, changes: Changes, condition: str | None) -> Profile:
        try:
            return await self._apply(session, changes, condition)
        except errors.StepUpRequired as required:
            kept = await self._step_ups.keep(session, required)
            kept.members["parked_edit"] = await self._park(session, changes, condition)
            raise kept from None

    async def _apply(self, session: LiveSession, changes: Changes, condition: str | None) -> Profile:
        if condition is not None:
            current = await self.profile(session)
            if not matches(condition, etag_of(current)):
                raise errors.ProfileChanged(current, etag_of(current))
        if not changes:
            return await self.profile(session)
        self._step_ups.demand_freshness(session)
        profile = await self._editor.edit(session, changes)
        overlay = {**(await self._load(session, _OVERLAY) or {}), **changes}
        await self._keep(session, _OVERLAY, overlay, OVERLAY_SECONDS)
        await self._step_ups.succeeded(session)
        return with_changes(profile, changes)

    async def _park(self, session: LiveSession, changes: Changes, condition: str | None) -> dict[str, str]:
        identifier = secrets.token_urlsafe(16)
        parked = ParkedEdit(changes, condition, self._now() + PARKED_SECONDS)
        await self._keep_parked(session, identifier, parked)
        return {"id": identifier, "expires_at": rfc3339(parked.expires_at)}

    async def _keep_parked(self, session: LiveSession, identifier: str, parked: ParkedEdit) -> None:
        value = Field(json.dumps(asdict(parked)).encode(), parked.expires_at)
        await self._vault.write(session.ref, f"parked:{identifier}", value, secret=session.cookie.secret)

    async def _parked(self, session: LiveSession, identifier: str) -> ParkedEdit:
        stored = await self._load(session, f"parked:{identifier}")
        if stored is None:
            raise errors.NotFound
        return ParkedEdit(**stored)

    async def _load(self, session: LiveSession, name: str) -> dict[str, Any] | None:
        (stored,) = await self._vault.read(session.ref, [name], secret=session.cookie.secret)
        loaded: dict[str, Any] | None = json.loads(stored) if stored is not None else None
        return loaded

    async def _keep(self, session: LiveSession, name: str, value: Mapping[str, Any], seconds: int) -> None:
        record = Field(json.dumps(value).encode(), self._now() + seconds)
        await self._vault.write(session.ref, name, record, secret=session.cookie.secret)
