"""How many sessions a person may have at once.

Whoever signs in once more than that loses the session that was used longest ago: a person has a dozen browsers at most,
and whoever has got hold of a password shall not fill Redis with sessions, nor hide among them.
Owns which one ends. Never ends the one that begins, and never one that was used since it was chosen.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.session.indexed_sessions import Index, IndexedSession, IndexedSessions
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from servicekit.logs import log_event

REASON: Final = "too-many-sessions"
# Whoever meets others that sign in or use what was chosen looks again.
_LOOKS: Final = 5
_PAUSE_SECONDS: Final = 0.05

_log = logging.getLogger(__name__)


class SessionLimit:
    """Ends what a person has beyond `most` sessions."""

    def __init__(self, vault: Vault, most: int) -> None:
        self._vault = vault
        self._sessions = IndexedSessions(vault)
        self.most = most

    async def enforce(self, begun: SessionRef, indexes: Sequence[Index]) -> None:
        """Leave the person `most` sessions with the one that has `begun`; `indexes` are its own, the person's first.

        May be repeated, and may meet itself: all who sign in at once choose by one order, so that each session is ended
        once, and only if it is still as it was when it was chosen. Who is chosen himself, because others began or were
        used in the same moment, leaves that to them for a while. A Redis that fails is no fault of the sign-in, which
        is done: the next one ends what this one has left.
        """
        # The other sessions began in other sessions of the authority, whose indexes their summaries name.
        ours = [index for index in indexes if index[0] != "sid"]
        ended = 0
        try:
            for look in range(_LOOKS):
                living = await self._in_order(ours)
                excess = len(living) - self.most
                chosen = [one for one in living[: max(0, excess)] if one.ref.family != begun.family]
                is_chosen = len(chosen) < excess
                if is_chosen and look == _LOOKS - 1:
                    chosen.append(living[excess])
                done = [await self._end(one, ours) for one in chosen]
                ended += sum(done)
                if all(done) and not is_chosen:
                    break
                await asyncio.sleep(_PAUSE_SECONDS if is_chosen else 0)
        except SessionStoreUnavailable as error:
            log_event(
                _log, logging.WARNING, "session-limit-not-kept", session=begun.short, cause=error.log_detail
            )
        if ended:
            log_event(_log, logging.INFO, "session-limit-kept", session=begun.short, ended=ended)

    async def _in_order(self, indexes: Sequence[Index]) -> list[IndexedSession]:
        living = await self._sessions.living(indexes[0], indexes[1:])
        return sorted(living, key=lambda one: (one.seen_at, one.ref.digest))

    async def _end(self, one: IndexedSession, indexes: Sequence[Index]) -> bool:
        seen = str(one.seen_at).encode()
        return await self._vault.ends.end_unused(one.ending(indexes), REASON, seen=seen)
