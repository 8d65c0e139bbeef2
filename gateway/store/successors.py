"""What went along with a session when a step-up gave it another id.

Owns finding the session that took the place of one, and removing there what was done with meanwhile.
Never reads or writes a record there: that takes the new session's cookie.
"""

from collections.abc import Sequence

from gateway.store.names import SessionRef, tombstone_key
from gateway.store.redis.faults import redis_faults
from gateway.store.vault import Vault


async def remove_from_successors(vault: Vault, ref: SessionRef, names: Sequence[str]) -> None:
    """Remove fields from whatever session took the place of `ref`; raises SessionStoreUnavailable."""
    while successor := await successor_of(vault, ref):
        removed = await vault.write(successor, dict.fromkeys(names), secret=b"")
        if removed.is_whole:
            return
        ref = successor


async def successor_of(vault: Vault, ref: SessionRef) -> SessionRef | None:
    """Return the session that took the place of `ref`, if one did; raises SessionStoreUnavailable."""
    async with redis_faults():
        tombstone = await vault.redis.get(tombstone_key(ref))
    _, _, digest = (tombstone or b"").decode().partition(":")
    return SessionRef(ref.family, digest) if digest else None
