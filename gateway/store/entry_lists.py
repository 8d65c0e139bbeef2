"""Lists of sealed entries in Redis: the newest first, the oldest beyond the most are gone.

Owns their commands and their form: one text, each entry behind its length, which is the least that Redis can hold.
Never knows what an entry means, and never keeps a list without a lifetime.
"""

from typing import Final

from gateway.store.names import record_key
from gateway.store.redis.faults import redis_faults
from gateway.store.scripts import PREPEND
from gateway.store.sealing import Unsealable
from gateway.store.vault import Vault

_LENGTH_DIGITS: Final = 4


class EntryLists:
    """Reads and extends lists of one `kind`; everything raises SessionStoreUnavailable when Redis fails."""

    def __init__(self, vault: Vault, kind: str, *, most: int, ttl: int) -> None:
        """Take what a list is called, how many entries it has at most, and its lifetime after the last one in s."""
        self._vault = vault
        self._kind = kind
        self._most = most
        self._ttl = ttl

    def seal(self, owner: str, entry: bytes) -> bytes:
        """Return an entry of the owner's list as it will lie there."""
        return self._vault.ring.seal(entry, kind=self._kind, owner=owner)

    async def prepend(self, owner: str, sealed: bytes) -> None:
        """Put a sealed entry at the head of the owner's list; may be repeated."""
        await self._vault.run(PREPEND, [record_key(self._kind, owner)], [sealed, self._most, self._ttl])

    async def read(self, owner: str) -> list[bytes]:
        """Return the owner's entries, newest first; those that cannot be opened are left out."""
        async with redis_faults():
            text: bytes = await self._vault.redis.get(record_key(self._kind, owner)) or b""
        opened = [self._opened(owner, sealed) for sealed in _parts(text)]
        return [entry for entry in opened if entry is not None]

    def _opened(self, owner: str, sealed: bytes) -> bytes | None:
        try:
            return self._vault.ring.open(sealed, kind=self._kind, owner=owner)
        except Unsealable:
            return None


def _parts(text: bytes) -> list[bytes]:
    """Return what PREPEND put together; what is behind a damaged length is left out."""
    parts, at = [], 0
    while (digits := text[at : at + _LENGTH_DIGITS]).isdigit():
        begin = at + _LENGTH_DIGITS
        at = begin + int(digits)
        parts.append(text[begin:at])
    return parts
