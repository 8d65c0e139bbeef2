"""Single sealed records in Redis: kept for a while, and most of them taken once.

Owns their commands.
Never knows what a record means, and never keeps one without a lifetime.
"""

from typing import Any

from gateway.store.count_scripts import PUT
from gateway.store.names import record_key
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.sealing import Unsealable
from gateway.store.vault import Vault


class SingleRecords:
    """Reads and writes them; everything raises SessionStoreUnavailable when Redis fails."""

    def __init__(self, vault: Vault) -> None:
        self._redis = vault.redis
        self._ring = vault.ring

    async def put(self, kind: str, owner: str, value: bytes, *, ttl: int, secret: bytes = b"") -> None:
        """Keep `value` for `ttl` seconds."""
        sealed = self._ring.seal(value, kind=kind, owner=owner, secret=secret)
        async with redis_faults():
            await self._redis.set(record_key(kind, owner), sealed, ex=ttl)

    async def put_and_count(
        self, kind: str, owner: str, value: bytes, *, ttl: int, secret: bytes = b"", count: ScriptCall
    ) -> Any:
        """Keep `value`, and count in the same step; return what `count` answers, whatever that is."""
        sealed = self._ring.seal(value, kind=kind, owner=owner, secret=secret)
        put = ScriptCall(PUT, [record_key(kind, owner)], [sealed, ttl])
        async with redis_faults():
            answer, *_ = await self._redis.run_together((), count, (put,))
        return answer

    async def take(self, kind: str, owner: str, *, secret: bytes = b"") -> bytes | None:
        """Return the value and remove it in the same step; None when there is none, or it cannot be opened."""
        async with redis_faults():
            sealed = await self._redis.getdel(record_key(kind, owner))
        return self._open_single(kind, owner, sealed, secret)

    async def look(self, kind: str, owner: str) -> bytes | None:
        """Return the value and leave it; None when there is none, or it cannot be opened."""
        async with redis_faults():
            sealed = await self._redis.get(record_key(kind, owner))
        return self._open_single(kind, owner, sealed, b"")

    async def note(self, kind: str, owner: str, *, ttl: int) -> bool:
        """Note that something happened, for `ttl` seconds; False when that was noted before."""
        async with redis_faults():
            return bool(await self._redis.set(record_key(kind, owner), b"1", ex=ttl, nx=True))

    def _open_single(self, kind: str, owner: str, sealed: bytes | None, secret: bytes) -> bytes | None:
        try:
            return self._ring.open(sealed, kind=kind, owner=owner, secret=secret) if sealed else None
        except Unsealable:
            return None
