"""Edits of the profile: conditional, repeatable, parked when step-up interrupts them, shown at once when done.

Owns `If-Match`, idempotency keys, what becomes of a parked edit that is applied, and of an edit whose answer is lost.
Never applies a parked edit by itself: the person sees what will change, and confirms.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from gateway import errors
from gateway.failpoints import Failpoints
from gateway.flows.step_up import StepUps
from gateway.profile.fields import Changes, Profile, etag_of, matches, with_changes
from gateway.profile.graph import ProfileReader
from gateway.profile.parked_edits import KIND as PARKED
from gateway.profile.parked_edits import ParkedEdits
from gateway.profile.recently_saved import KIND as SAVED
from gateway.profile.recently_saved import LatelySaved
from gateway.profile.resource_client import ProfileEditor
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.leases import LeaseTaken, lease
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Vault
from gateway.timestamps import rfc3339
from servicekit.errors import ResourceUnavailable
from servicekit.logs import log_event
from servicekit.problems import ProblemError

IDEMPOTENCY_SECONDS: Final = 600
_NOTING_SECONDS: Final = 1.5

_log = logging.getLogger(__name__)


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
        self._lately = LatelySaved(vault, now=now)
        self._parked = ParkedEdits(vault, now=now)
        self._now = now

    async def profile(self, session: LiveSession) -> Profile:
        """Return the profile, with what this session saved in the last minute."""
        return await self._lately.laid_over(session, await self._read(session))

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
        parked = await self._parked.find(session, identifier)
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
        async with self._parked.claimed(session, identifier):
            return await self._apply_claimed(session, identifier)

    async def _apply_claimed(self, session: LiveSession, identifier: str) -> Profile:
        parked = await self._parked.find(session, identifier)
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
                    await self._parked.remove(session, identifier)

    async def drop_parked(self, session: LiveSession, identifier: str) -> None:
        """Drop a parked edit; raises NotFound, also where it is being applied: what was dropped is not saved."""
        async with self._parked.claimed(session, identifier):
            await self._parked.find(session, identifier)
            await self._parked.remove(session, identifier)

    async def carried_over(self, session: LiveSession) -> tuple[dict[str, Field], bytes]:
        """Return what outlives a change of the session's id, parked edits and what was just saved, and its mark."""
        mark = await self._vault.mark(session.ref)
        names = [name for kind in (PARKED, SAVED) for name in await self._vault.names(session.ref, kind)]
        if not names:
            return {}, mark
        stored = await self._vault.read(session.ref, names, secret=session.cookie.secret)
        carried: dict[str, Field] = {}
        for name, value in zip(names, stored, strict=True):
            if value is not None:
                carried[name] = Field(value, json.loads(value)["expires_at"])
        return carried, mark

    async def _read(self, session: LiveSession) -> Profile:
        try:
            return await self._reader.read(session)
        except errors.StepUpRequired as required:
            raise await self._step_ups.keep(session, required) from required

    async def _save_or_park(self, session: LiveSession, changes: Changes, condition: str | None) -> Profile:
        try:
            return await self._apply(session, changes, condition)
        except errors.StepUpRequired as required:
            kept = await self._step_ups.keep(session, required)
            kept.members["parked_edit"] = await self._parked.park(session, changes, condition)
            raise kept from None

    async def _apply(self, session: LiveSession, changes: Changes, condition: str | None) -> Profile:
        read = None
        if condition is not None:
            read = await self._read(session)
            current = await self._lately.laid_over(session, read)
            if not matches(condition, etag_of(current)):
                # Ours perhaps, and only the answer was lost: that is no conflict (RFC 9110, section 13.1.1).
                if changes and with_changes(current, changes) == current:
                    return current
                raise errors.ProfileChanged(current, etag_of(current))
        if not changes:
            return await self.profile(session)
        self._step_ups.demand_freshness(session)
        profile = await self._edited(session, changes)
        await self._failpoints.reach("edit-sent")
        with _noting(session):
            await self._lately.note(session, changes, read)
            profile = await self._lately.laid_over(session, profile)
            await self._step_ups.succeeded(session)
        return with_changes(profile, changes)

    async def _edited(self, session: LiveSession, changes: Changes) -> Profile:
        """Send the edit; where nobody knows what became of it, look it up, and believe only what is there."""
        try:
            return await self._editor.edit(session, changes)
        except ResourceUnavailable as lost:
            if lost.members.get("outcome") != "unknown":
                raise
            try:
                read = await self._reader.read(session)
            except ProblemError:
                raise lost from None
            if with_changes(read, changes) != read:
                raise
            log_event(_log, logging.INFO, "edit-looked-up", session=session.ref.short)
            return read

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
