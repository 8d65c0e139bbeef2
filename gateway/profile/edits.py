"""Edits of the profile: conditional, repeatable, parked when step-up interrupts them, shown at once when done.

Owns parked edits, idempotency keys, `If-Match`, and the overlay that covers Graph's replication lag.
Never applies a parked edit by itself: the person sees what will change, and confirms.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from gateway import errors
from gateway.authority.step_up import StepUps
from gateway.failpoints import Failpoints
from gateway.profile.graph import ProfileReader
from gateway.profile.profile import Changes, Profile, etag_of, matches, with_changes
from gateway.profile.resource_client import ProfileEditor
from gateway.session.sessions import LiveSession
from gateway.store.leases import LeaseTaken, lease
from gateway.store.redis_budget import redis_budget
from gateway.store.session_fields import Field
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339
from servicekit.logs import log_event
from servicekit.problems import ProblemError

PARKED_SECONDS: Final = 600
OVERLAY_SECONDS: Final = 60
IDEMPOTENCY_SECONDS: Final = 600
_OVERLAY: Final = "overlay"
_NOTING_SECONDS: Final = 1.5

_log = logging.getLogger(__name__)


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
        failpoints: Failpoints | None = None,
    ) -> None:
        self._failpoints = failpoints or Failpoints()
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
        try:
            async with lease(self._vault, session.ref, name, wait=0):
                if known := await self._load(session, name):
                    if known["mark"] != mark:
                        raise errors.IdempotencyKeyReused
                    return Profile(known["profile"])
                profile = await self._save_or_park(session, changes, condition)
                with _noting(session):
                    told = {"mark": mark, "profile": profile}
                    await self._keep(session, name, told, IDEMPOTENCY_SECONDS)
                return profile
        except LeaseTaken:
            raise errors.EditInProgress from None

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
        """Apply a parked edit, once; raises NotFound, and what `save` raises (a further step-up parks it anew).

        It is removed only after it was applied: a gateway that dies in between leaves it to be confirmed again. Two
        confirmations race for the lease; the second finds nothing.
        """
        try:
            async with lease(self._vault, session.ref, f"parked:{identifier}"):
                return await self._apply_claimed(session, identifier)
        except LeaseTaken:
            raise errors.EditInProgress from None

    async def _apply_claimed(self, session: LiveSession, identifier: str) -> Profile:
        parked = await self._parked(session, identifier)
        await self._failpoints.reach("parked-claimed")
        done = True
        try:
            return await self.save(session, parked.changes, condition=parked.condition, key=None)
        except (errors.ProfileChanged, errors.StepUpRequired):
            raise  # the person was shown what changed elsewhere, or it is parked anew
        except ProblemError as problem:
            # Unless nobody knows, nothing was written, and the person may confirm again.
            done = problem.members.get("outcome") == "unknown"
            raise
        except BaseException:
            done = False
            raise
        finally:
            if done:
                with _noting(session):
                    await self._vault.remove(session.ref, f"parked:{identifier}")

    async def drop_parked(self, session: LiveSession, identifier: str) -> None:
        """Drop a parked edit; raises NotFound."""
        await self._parked(session, identifier)
        await self._vault.remove(session.ref, f"parked:{identifier}")

    async def carried_over(self, session: LiveSession) -> tuple[dict[str, Field], bytes]:
        """Return what outlives a change of the session's id, parked edits and the overlay, and its mark."""
        mark = await self._vault.mark(session.ref)
        names = [*await self._vault.names(session.ref, "parked:"), _OVERLAY]
        stored = await self._vault.read(session.ref, names, secret=session.cookie.secret)
        carried: dict[str, Field] = {}
        for name, value in zip(names, stored, strict=True):
            if value is not None:
                ends = json.loads(value).get("expires_at", self._now() + OVERLAY_SECONDS)
                carried[name] = Field(value, ends)
        return carried, mark

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
        await self._failpoints.reach("edit-sent")
        with _noting(session):
            overlay = {**(await self._load(session, _OVERLAY) or {}), **changes}
            await self._keep(session, _OVERLAY, overlay, OVERLAY_SECONDS)
            await self._step_ups.succeeded(session)
        return with_changes(profile, changes)

    async def _park(self, session: LiveSession, changes: Changes, condition: str | None) -> dict[str, str]:
        identifier = secrets.token_urlsafe(16)
        parked = ParkedEdit(changes, condition, self._now() + PARKED_SECONDS)
        value = Field(write_record(parked), parked.expires_at)
        name = f"parked:{identifier}"
        if not await self._vault.write(session.ref, name, value, secret=session.cookie.secret):
            raise errors.SignInRequired(await self._vault.ended(session.ref))
        return {"id": identifier, "expires_at": rfc3339(parked.expires_at)}

    async def _parked(self, session: LiveSession, identifier: str) -> ParkedEdit:
        name = f"parked:{identifier}"
        (stored,) = await self._vault.read(session.ref, [name], secret=session.cookie.secret)
        parked = read_record(ParkedEdit, stored)
        if parked is None:
            raise errors.NotFound
        return parked

    async def _load(self, session: LiveSession, name: str) -> dict[str, Any] | None:
        (stored,) = await self._vault.read(session.ref, [name], secret=session.cookie.secret)
        loaded: dict[str, Any] | None = json.loads(stored) if stored is not None else None
        return loaded

    async def _keep(self, session: LiveSession, name: str, value: Mapping[str, Any], seconds: int) -> None:
        record = Field(json.dumps(value).encode(), self._now() + seconds)
        await self._vault.write(session.ref, name, record, secret=session.cookie.secret)


@contextmanager
def _noting(session: LiveSession) -> Iterator[None]:
    """Let the block note something about an edit that is done; whatever Redis does, the edit was saved."""
    try:
        with redis_budget(_NOTING_SECONDS):
            yield
    except errors.SessionStoreUnavailable as error:
        log_event(_log, logging.WARNING, "edit-not-noted", session=session.ref.short, cause=error.log_detail)
