"""How much somebody has written recently: a budget of bytes for a while, counted in Redis for all processes.

Owns the count: one number that ends by itself, in a while that begins with the first bytes.
Never knows what was written, and gives nothing back: what is removed early was written all the same.
"""

import secrets

from gateway.store.names import record_key
from gateway.store.scripts import SPEND
from gateway.store.vault import Vault


class SpentBytes:
    """Lets each owner write `most` bytes of a `kind` within `seconds`; raises SessionStoreUnavailable."""

    def __init__(self, vault: Vault, kind: str, *, most: int, seconds: int) -> None:
        self._vault = vault
        self._kind = kind
        self._most = most
        self._seconds = seconds

    async def spend(self, owner: str, count: int) -> bool:
        """Count bytes; False, and nothing is counted, when they are more than is left. May be repeated."""
        arguments = [count, self._most, self._seconds, secrets.token_hex(4)]
        return bool(await self._vault.run(SPEND, [record_key(self._kind, owner)], arguments))
