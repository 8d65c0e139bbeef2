"""Counts of what was done in the last minutes, shared by all workers and gateways.

Owns the leaky buckets in Redis: each is one number that ends by itself, dated by Redis' clock, under a name that is a
keyed hash, so that no address and no person can be read from it, nor found by trying all of them.
Never refuses anything, and never stands in for a Redis that cannot count: it says so, and whoever asks goes on with
what its own process knows.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.count_scripts import COUNT
from gateway.store.names import PREFIX
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.script_calls import ScriptCall
from servicekit.leaky_buckets import Bucket

_NAME_BYTES: Final = 12
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """Whether something was let in, and what each bucket held before."""

    fits: bool
    levels: Sequence[float]


class RateCounts:
    """Counts in Redis; `key` is the sealing key from which the names are derived."""

    def __init__(self, redis: GuardedRedis | GuardedCluster, key: bytes) -> None:
        # redis-py types its answers as text or bytes.
        self._redis: Any = redis
        self._key = hashlib.sha256(b"stepup rate counts" + key).digest()

    def name(self, *parts: str) -> str:
        """Return what a person or a network is called here."""
        text = "\0".join(parts).encode()
        return hashlib.blake2b(text, key=self._key, digest_size=_NAME_BYTES).hexdigest()

    @staticmethod
    def key(slot: str, *rest: str) -> str:
        """Return the key of a bucket; those that are counted together have one `slot`, as a cluster demands."""
        return ":".join((PREFIX, "rate", f"{{{slot}}}", *rest))

    @staticmethod
    def call(buckets: Sequence[Bucket], cost: float = 1, *, anyhow: bool = False) -> ScriptCall:
        """Return the script that puts `cost` into buckets, if it is let in.

        What was let in already is counted `anyhow`, as far as the buckets hold it.
        """
        arguments: list[float | int] = [cost, int(anyhow)]
        for bucket in buckets:
            each = bucket.each * _MICROSECONDS
            arguments += [bucket.capacity, each, int(bucket.role), int(bucket.is_open)]
        return ScriptCall(COUNT, [bucket.key for bucket in buckets], arguments)

    @staticmethod
    def read(answer: Any) -> Counted | None:
        """Return what the script answered; None where Redis did not count."""
        if answer is None:
            return None
        fits, *levels = answer
        return Counted(bool(fits), [float(level) for level in levels])

    async def add(self, buckets: Sequence[Bucket], cost: float) -> Counted | None:
        """Put `cost` into buckets, as far as they hold it; None where Redis did not count."""
        try:
            async with redis_faults():
                return self.read(await self._redis.run_script(self.call(buckets, cost, anyhow=True)))
        except SessionStoreUnavailable:
            return None
