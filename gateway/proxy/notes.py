"""Notes about what was done: by then nothing can be undone, whatever Redis does.

Owns writing them in one step with letting go of a lock, also where another tab stepped up meanwhile and the session
goes by another id. Never fails: what could not be noted is logged.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.session.records import Entries
from gateway.session.sessions import LiveSession
from gateway.store.leases import Lease
from gateway.store.redis.budget import redis_budget
from servicekit.logs import log_event

_NOTING_SECONDS: Final = 1.5

_log = logging.getLogger(__name__)


async def note(session: LiveSession, entries: Entries, lease: Lease | None = None) -> None:
    """Note what is known of a request that is done, in one step, and let go of its lease.

    Where another tab stepped up meanwhile, what waited has gone along to the session's new id, and must not wait on.
    """
    if not entries:
        return
    with noting(session):
        removed = [name for name, entry in entries.items() if entry is None]
        if not await session.records.put(entries, release=lease) and removed:
            await session.records.remove_from_successors(removed)


@contextmanager
def noting(session: LiveSession) -> Iterator[None]:
    """Let the block note something about a request that is done; whatever Redis does, it was done."""
    try:
        with redis_budget(_NOTING_SECONDS):
            yield
    except SessionStoreUnavailable as error:
        log_event(_log, logging.WARNING, "edit-not-noted", session=session.ref.short, cause=error.log_detail)
