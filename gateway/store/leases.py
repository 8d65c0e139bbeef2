"""A lock that lives as long as its holder works.

Owns taking a lock together with what it protects, waiting for one, renewing it while the work runs, and letting go of
it whatever happens.
Never makes a write safe by itself: a holder that was stopped for longer than the lease believes it still holds it,
which is why what it writes is compared first (`Vault.write`, `over`).
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.names import SessionRef, lock_key
from gateway.store.redis.budget import redis_budget
from gateway.store.scripts import CLAIM, RELEASE, RENEW
from gateway.store.vault import SEEN, Stored, Vault

# Short, so that a killed holder is soon replaced; renewed three times as often as it would end.
LEASE_SECONDS: Final = 6.0
WAIT_SECONDS: Final = 16.0
# Renewing and letting go are for the others: they take nothing from the budget of the request that holds the lease.
_OWN_BUDGET_SECONDS: Final = 1.5


class LeaseTaken(Exception):
    """Somebody else holds the lease for longer than the caller would wait."""


@dataclass(slots=True)
class Lease:
    """A lock that is held: `name` of the session's lock, the holder's `mark`, and what was read with it.

    Whoever writes may let go in the same step, and says so by `released`.
    """

    name: str
    mark: str
    stored: Stored
    released: bool = False


@asynccontextmanager
async def lease(
    vault: Vault,
    ref: SessionRef,
    name: str,
    *,
    fields: Sequence[str] = (),
    wait: float = WAIT_SECONDS,
    turn: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Lease]:
    """Hold the lock `name` of a session while the block runs; `fields` are read in the step that takes it.

    Each try to take it waits for its `turn`, where there are turns.

    Raises LeaseTaken when another holder works for longer than `wait` seconds, and SessionStoreUnavailable when Redis
    fails before the lock is held. A failure to renew or to let go is no failure of the work: the lease ends by itself.
    """

    async def claim() -> Lease | None:
        if turn is not None:
            await turn()
        return await _claim(vault, ref, name, fields)

    held = await _wait(claim, wait=wait)
    renewing = asyncio.create_task(_renew(vault, ref, held))
    try:
        yield held
    finally:
        renewing.cancel()
        if not held.released:
            # A task of its own: whoever is cancelled here still lets go. Nobody else waits for the renewing.
            await asyncio.shield(asyncio.create_task(_let_go(vault, ref, held)))


async def _wait(claim: Callable[[], Awaitable[Lease | None]], *, wait: float) -> Lease:
    deadline = asyncio.get_running_loop().time() + wait
    pause = 0.03
    while (held := await claim()) is None:
        if asyncio.get_running_loop().time() >= deadline:
            raise LeaseTaken
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.4)
    return held


async def _claim(vault: Vault, ref: SessionRef, name: str, fields: Sequence[str]) -> Lease | None:
    mark, names = secrets.token_hex(16), [*fields, SEEN]
    arguments = [mark, round(LEASE_SECONDS * 1000), *names]
    values = await vault.run_read(CLAIM, [lock_key(ref, name), ref.key], arguments)
    return None if values is None else Lease(name, mark, dict(zip(names, values, strict=True)))


async def _renew(vault: Vault, ref: SessionRef, held: Lease) -> None:
    arguments = [held.mark, round(LEASE_SECONDS * 1000)]
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        # A Redis that stumbles once must not cost the lease: there are two more tries in its life.
        with contextlib.suppress(SessionStoreUnavailable), redis_budget(_OWN_BUDGET_SECONDS):
            if not await vault.run(RENEW, [lock_key(ref, held.name)], arguments):
                return


async def _let_go(vault: Vault, ref: SessionRef, held: Lease) -> None:
    with contextlib.suppress(SessionStoreUnavailable), redis_budget(_OWN_BUDGET_SECONDS):
        await vault.run(RELEASE, [lock_key(ref, held.name)], [held.mark])
