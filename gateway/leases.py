"""A lock that lives as long as its holder works.

Owns waiting for a lock, renewing it while the work runs, and letting go of it whatever happens.
Never makes a write safe by itself: a holder that was stopped for longer than the lease believes it still holds it,
which is why what it writes is compared first (`Vault.swap`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.errors import AuthorityUnavailable, SessionStoreUnavailable
from gateway.record_keys import SessionRef
from gateway.vault import Vault

# Short, so that a killed holder is soon replaced; renewed three times as often as it would end.
LEASE_SECONDS: Final = 6.0
WAIT_SECONDS: Final = 16.0


@asynccontextmanager
async def lease(vault: Vault, ref: SessionRef, name: str) -> AsyncIterator[None]:
    """Hold the lock `name` of a session while the block runs.

    Raises AuthorityUnavailable when another holder works for longer than anyone should wait, and
    SessionStoreUnavailable when Redis fails before the lock is held. A failure to renew or to let go is no failure
    of the work: the lease ends by itself.
    """
    mark = await _wait(vault, ref, name)
    renewing = asyncio.create_task(_renew(vault, ref, name, mark))
    try:
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError, SessionStoreUnavailable):
            await renewing
        with contextlib.suppress(SessionStoreUnavailable):
            await asyncio.shield(vault.unlock(ref, name, mark))


async def _wait(vault: Vault, ref: SessionRef, name: str) -> str:
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    pause = 0.03
    while (mark := await vault.lock(ref, name, seconds=LEASE_SECONDS)) is None:
        if asyncio.get_running_loop().time() > deadline:
            raise AuthorityUnavailable("the token request of another process does not end", retry_after=2)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.4)
    return mark


async def _renew(vault: Vault, ref: SessionRef, name: str, mark: str) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        if not await vault.renew(ref, name, mark, seconds=LEASE_SECONDS):
            return
