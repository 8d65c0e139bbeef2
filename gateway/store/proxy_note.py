"""What a running gateway noted for the doctor: by which proxy all traffic comes that it does not know.

Owns the one record of it, sealed like any other, and gone after a day.
Never judges whether that is a fault: the doctor compares it with the settings.
"""

from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.single_records import SingleRecords
from gateway.store.vault import Vault

_KIND: Final = "untrusted-proxy"
_OWNER: Final = "all"
_DAY: Final = 86_400


class ProxyNote:
    """Writes and reads the note."""

    def __init__(self, vault: Vault) -> None:
        self._records = SingleRecords(vault)

    async def write(self, peer: str) -> None:
        """Note the proxy's address; while Redis is away that is not worth a word."""
        try:
            await self._records.put(_KIND, _OWNER, peer.encode(), ttl=_DAY)
        except SessionStoreUnavailable:
            return

    async def read(self) -> str | None:
        """Return the address that was noted last; raises SessionStoreUnavailable."""
        noted = await self._records.look(_KIND, _OWNER)
        return noted.decode() if noted else None
