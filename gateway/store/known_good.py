"""What is known of the authority, kept for the gateway's next life.

Owns where metadata and signing keys lie in Redis, sealed like everything else there: they say whom to believe, and
whoever could write them could sign tokens that we accept.
Never raises: a Redis that is away makes a restart during an outage of the authority harder, and nothing else.
"""

from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.names import digest_of
from gateway.store.redis.budget import redis_budget
from gateway.store.single_records import SingleRecords
from gateway.store.vault import Vault

KEPT_SECONDS: Final = 7 * 24 * 3600
_KIND: Final = "known-good"
_REDIS_SECONDS: Final = 1.0


class AuthorityMemory:
    """Keeps documents of the one authority that `issuer` and `url` (of its metadata) name."""

    def __init__(self, vault: Vault, *, issuer: str, url: str) -> None:
        self._records = SingleRecords(vault)
        self._authority = (issuer, url)

    async def load(self, name: str) -> bytes | None:
        """Return what was saved under the name in the last week, if Redis has it and it can be opened."""
        with redis_budget(_REDIS_SECONDS):
            try:
                return await self._records.look(_KIND, self._owner(name))
            except SessionStoreUnavailable:
                return None

    async def save(self, name: str, document: bytes) -> None:
        """Keep a document for a week, if Redis is there."""
        with redis_budget(_REDIS_SECONDS):
            try:
                await self._records.put(_KIND, self._owner(name), document, ttl=KEPT_SECONDS)
            except SessionStoreUnavailable:
                return

    def _owner(self, name: str) -> str:
        return digest_of(*self._authority, name)
