"""Indexes: which sessions belong together.

Owns reading the sets of references by person, by subject and by the authority's `sid`, and forgetting references.
Never sealed, as they hold only hashes; a reference may be to a session that has ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from redis.exceptions import ResponseError

from gateway.store.fields import number_of
from gateway.store.names import PREFIX, SessionRef, index_key
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.scripts import LIST
from gateway.store.vault import SEEN, Vault

PAGE: Final = 200
"""How many references are looked at in one go: Redis does nothing else meanwhile, for two milliseconds or so."""
_ROW: Final = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """One session of an index; `indexed_at` in seconds since 1970, `seen_at` in milliseconds, 0 where it is gone.

    `stored` is the field that was asked for, as Redis holds it.
    """

    ref: SessionRef
    indexed_at: float
    stored: bytes | None
    seen_at: int


class SessionIndexes:
    """Reads the indexes; everything raises SessionStoreUnavailable when Redis fails."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._redis = vault.redis
        self._lists_in_one = not vault.redis.has_slots

    async def indexed(self, kind: str, owner: str, *, until: float | None = None) -> list[SessionRef]:
        """Return the sessions of `owner` that began at `until` or before, ended ones perhaps among them."""
        async with redis_faults():
            members = await self._redis.zrangebyscore(index_key(kind, owner), "-inf", _score(until))
        return [SessionRef.unpack(member) for member in members]

    async def walk(
        self,
        kind: str,
        owner: str,
        field: str,
        visit: Callable[[list[Reference]], Awaitable[int]],
        *,
        until: float | None = None,
    ) -> bool:
        """Show `visit` every session of `owner` with one of its fields, some at a time, the oldest first.

        `visit` says how many of them the index still names after it; the others it has let the index forget. Returns
        whether it did both, forget some and leave some: whoever must have seen all of them then walks again.
        """
        passed = forgotten = 0
        while references := await self.page(kind, owner, field, passing=passed, until=until):
            stay = await visit(references)
            passed += stay
            forgotten += len(references) - stay
            if len(references) < PAGE:
                break
        return bool(passed and forgotten)

    async def page(
        self, kind: str, owner: str, field: str, *, passing: int = 0, until: float | None = None
    ) -> list[Reference]:
        """Return some sessions of `owner` with one of its fields, after `passing` over as many.

        In one round trip, in a cluster in two.
        """
        key = index_key(kind, owner)
        if self._lists_in_one:
            try:
                return await self._page_in_one(key, field, passing, until)
            except ResponseError:
                # Some servers hold a script to the keys that it names.
                self._lists_in_one = False
        async with redis_faults():
            rows = await self._redis.zrangebyscore(
                key, "-inf", _score(until), start=passing, num=PAGE, withscores=True
            )
            refs = [SessionRef.unpack(member) for member, _ in rows]
        fields = await asyncio.gather(*(self._vault.read(ref, [field, SEEN]) for ref in refs))
        return [
            Reference(ref, float(at), stored[field], number_of(stored[SEEN]))
            for ref, (_, at), stored in zip(refs, rows, fields, strict=True)
        ]

    async def forget(self, kind: str, owner: str, refs: Iterable[SessionRef]) -> None:
        """Forget that these sessions belong to `owner`."""
        if members := [ref.packed for ref in refs]:
            async with redis_faults():
                await self._redis.zrem(index_key(kind, owner), *members)

    async def _page_in_one(self, key: str, field: str, passing: int, until: float | None) -> list[Reference]:
        call = ScriptCall(LIST, [key], [PREFIX, field, SEEN, _score(until), passing, PAGE])
        flat: list[bytes | None] = []
        async with redis_faults(but=ResponseError):
            flat = await self._redis.run_script(call)
        self._vault.hear(flat)
        flat = flat[1:]
        rows = [flat[at : at + _ROW] for at in range(0, len(flat), _ROW)]
        return [
            Reference(SessionRef.unpack(member or b""), float(at or 0), stored, number_of(seen_at))
            for member, at, stored, seen_at in rows
        ]


def _score(until: float | None) -> float | str:
    return "+inf" if until is None else until
