"""The sessions that an index names, however many: looked through and ended some at a time.

An index may name thousands of sessions that Redis dropped long ago. Each step takes some references, forgets those to
nothing, and leaves the index shorter, so that whoever is held up goes on from there.
Owns the steps. Never decides whose sessions end.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.session.summary import SUMMARY, SessionSummary, read_summary
from gateway.store.indexes import Reference, SessionIndexes
from gateway.store.names import SessionRef
from gateway.store.redis.budget import current_budget
from gateway.store.session_ends import Ending
from gateway.store.vault import Vault

# A session is noted a moment before it is there; only what is gone and not new is an orphan.
_SETTLED_SECONDS: Final = 60
# What is our own work counts, too: a request is answered within two seconds.
_REQUEST_SECONDS: Final = 1.5

Index = tuple[str, str]
"""An index, by kind and owner."""


@dataclass(frozen=True, slots=True)
class IndexedSession:
    """A session that lives; `seen_at` is when it was used last, in milliseconds since 1970.

    `summary` is None where this gateway cannot read it: another one began the session, with another key or version.
    """

    ref: SessionRef
    seen_at: int
    summary: SessionSummary | None

    def ending(self, indexes: Sequence[Index]) -> Ending:
        """Return how it is ended: `indexes` forget it, and that of the authority's session, where that is known."""
        return _ending(self.ref, indexes, self.summary)


class IndexedSessions:
    """Everything raises SessionStoreUnavailable when Redis fails."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._indexes = SessionIndexes(vault)

    async def living(self, index: Index, beside: Sequence[Index] = ()) -> list[IndexedSession]:
        """Return the sessions that live; `index`, and those `beside` it, forget the others."""
        found: list[IndexedSession] = []

        async def visit(references: list[Reference]) -> int:
            gone = [one.ref for one in references if self._is_orphan(one)]
            found.extend(
                IndexedSession(one.ref, one.seen_at, read_summary(self._vault, one.ref, one.stored))
                for one in references
                if one.seen_at
            )
            await self._forget([index, *beside], gone)
            return len(references) - len(gone)

        await self._indexes.walk(*index, SUMMARY, visit)
        return found

    async def end(
        self,
        index: Index,
        reason: str,
        *,
        beside: Sequence[Index] = (),
        spares: Callable[[SessionRef], bool] = lambda _ref: False,
        until: float | None = None,
    ) -> int:
        """End every session that `index` names, also one that is about to begin; return how many there were.

        Only those that began at `until` or before, and none that `spares` names. The indexes `beside` forget them too.
        What was ended before Redis failed, or a request had taken its time, stays so; then the error says how many
        those were.
        """
        ended, indexes = 0, [index, *beside]
        now = asyncio.get_running_loop().time
        ends_at = now() + _REQUEST_SECONDS if current_budget() else math.inf

        async def visit(references: list[Reference]) -> int:
            nonlocal ended
            if now() > ends_at:
                raise SessionStoreUnavailable.in_the_middle(ended)
            meant = [one for one in references if not spares(one.ref)]
            gone = [one.ref for one in meant if self._is_orphan(one)]
            await self._forget(indexes, gone)
            ended += await self._vault.ends.end_many(
                [
                    _ending(one.ref, indexes, read_summary(self._vault, one.ref, one.stored))
                    for one in meant
                    if not self._is_orphan(one)
                ],
                reason,
            )
            return len(references) - len(meant)

        try:
            # Somebody else may shorten the index meanwhile, and so move what was not looked at yet before our place.
            while await self._indexes.walk(*index, SUMMARY, visit, until=until):
                pass
        except SessionStoreUnavailable as error:
            if ended and not error.members:
                raise SessionStoreUnavailable.in_the_middle(ended) from error
            raise
        return ended

    async def end_named_by_all(
        self, indexes: Sequence[Index], reason: str, *, until: float | None = None
    ) -> int:
        """End every session that all of these indexes name, as `end` does; return how many there were."""
        index, *others = indexes
        among = [set(await self._indexes.indexed(*other, until=until)) for other in others]
        return await self.end(
            index,
            reason,
            beside=others,
            spares=lambda ref: not all(ref in refs for refs in among),
            until=until,
        )

    def _is_orphan(self, reference: Reference) -> bool:
        settled = self._vault.known_time() - _SETTLED_SECONDS
        return not reference.seen_at and reference.indexed_at <= settled

    async def _forget(self, indexes: Sequence[Index], refs: Sequence[SessionRef]) -> None:
        for index in indexes:
            await self._indexes.forget(*index, refs)


def _ending(ref: SessionRef, indexes: Sequence[Index], summary: SessionSummary | None) -> Ending:
    sid = [("sid", summary.sid)] if summary and summary.sid else []
    return Ending(ref, list(dict.fromkeys([*indexes, *sid])))
