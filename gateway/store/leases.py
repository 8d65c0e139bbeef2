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

from gateway.errors import SessionStoreUnavailable
from gateway.store.names import SessionRef
from gateway.store.redis.budget import redis_budget
from gateway.store.vault import Vault

# Short, so that a killed holder is soon replaced; renewed three times as often as it would end.
LEASE_SECONDS: Final = 6.0
WAIT_SECONDS: Final = 16.0
# Renewing and letting go are for the others: they take nothing from the budget of the request that holds the lease.
_OWN_BUDGET_SECONDS: Final = 1.5


class LeaseTaken(Exception):  # noqa: N818 - an outcome, which the caller translates
    """Somebody else holds the lease for longer than the caller would wait."""


@asynccontextmanager
async def lease(
    vault: Vault, ref: SessionRef, name: str, *, wait: float = WAIT_SECONDS
) -> AsyncIterator[None]:
    """Hold the lock `name` of a session while the block runs.

    Raises LeaseTaken when another holder works for longer than `wait` seconds, and SessionStoreUnavailable when Redis
    fails before the lock is held. A failure to renew or to let go is no failure of the work: the lease ends by itself.
    """
    mark = await _wait(vault, ref, name, wait=wait)
    renewing = asyncio.create_task(_renew(vault, ref, name, mark))
    try:
        yield
    finally:
        renewing.cancel()
        # A task of its own: whoever is cancelled here still lets go. Nobody else waits for the renewing.
        await asyncio.shield(asyncio.create_task(_let_go(vault, ref, name, mark)))


async def _wait(vault: Vault, ref: SessionRef, name: str, *, wait: float) -> str:
    deadline = asyncio.get_running_loop().time() + wait
    pause = 0.03
    while (mark := await vault.lock(ref, name, seconds=LEASE_SECONDS)) is None:
        if asyncio.get_running_loop().time() >= deadline:
            raise LeaseTaken
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.4)
    return mark


async def _renew(vault: Vault, ref: SessionRef, name: str, mark: str) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        # A Redis that stumbles once must not cost the lease: there are two more tries in its life.
        with contextlib.suppress(SessionStoreUnavailable), redis_budget(_OWN_BUDGET_SECONDS):
            if not await vault.renew(ref, name, mark, seconds=LEASE_SECONDS):
                return


async def _let_go(vault: Vault, ref: SessionRef, name: str, mark: str) -> None:
    with contextlib.suppress(SessionStoreUnavailable), redis_budget(_OWN_BUDGET_SECONDS):
        await vault.unlock(ref, name, mark)
