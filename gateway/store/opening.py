"""From settings to a vault: which Redis, and which keys.

Owns what of the settings the store needs, and who hears that Redis' clock is not ours.
Closes nothing by itself: whoever opened it does, or gives it to `connected`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

from pydantic import SecretStr

from gateway.counts import Counts
from gateway.store.eviction import warn_of_eviction
from gateway.store.hints import Hints
from gateway.store.redis.budget import LIMITS, RedisLimits
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.connection import redis_client
from gateway.store.redis_clock import RedisClock
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from servicekit.clock_watch import ClockWatch


class VaultSettings(Protocol):
    """What `gateway.settings` says of Redis and of the sealing keys."""

    @property
    def redis_url(self) -> SecretStr:
        """The address of one server, of sentinels or of a cluster."""

    @property
    def redis_password_file(self) -> str | None:
        """A file with the password, instead of one in the address."""

    @property
    def redis_ca_bundle(self) -> str | None:
        """The certificates to trust for Redis, instead of those of `ca_bundle`."""

    @property
    def ca_bundle(self) -> str | None:
        """The certificates to trust instead of the system's."""

    @property
    def redis_wait_replicas(self) -> int:
        """How many replicas must have the end of a session."""

    @property
    def ring(self) -> list[bytes]:
        """The sealing keys; the first one seals."""


def open_vault(
    settings: VaultSettings,
    *,
    now: RedisClock,
    limits: RedisLimits = LIMITS,
    counts: Counts | None = None,
) -> tuple[GuardedRedis | GuardedCluster, Vault, Hints]:
    """Return the connection to Redis, the vault on it, and the hints that it gives; close the hints first.

    `now` is Redis' clock.
    """
    counts = counts or Counts()
    redis = redis_client(
        settings.redis_url.get_secret_value(),
        password_file=settings.redis_password_file,
        ca_bundle=settings.redis_ca_bundle or settings.ca_bundle,
        limits=limits,
        counts=counts,
    )
    ring = KeyRing(settings.ring, on_rejected=counts.record_rejected)
    hints = Hints(redis, counts=counts)
    vault = Vault(redis, ring, now=now, replicas=settings.redis_wait_replicas, counts=counts, hints=hints)
    return redis, vault, hints


def hearing_clock(now: Callable[[], float], steady: Callable[[], float], counts: Counts) -> RedisClock:
    """Return Redis' clock, compared with ours, `now`, whenever it is heard; between that `steady` goes on."""
    watch = ClockWatch(
        "Redis",
        now=now,
        on_difference=partial(counts.clock_differs, "redis"),
        remedy="set the clocks of both machines by NTP; meanwhile sessions live by Redis' clock",
    )
    return RedisClock(now=now, steady=steady, watch=watch)


@asynccontextmanager
async def connected(vault: Vault, *, waits: bool) -> AsyncIterator[None]:
    """Do beside the block what the vault needs, and close its connections after it.

    It is looked whether Redis keeps what it is given and has memory left, which indexes have orphans and, with `waits`,
    for replicas.
    """
    works = [warn_of_eviction(vault.redis), vault.memory_watch.run(), vault.orphans.run()]
    if waits:
        works.append(vault.replica_watch.run())
    beside = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        if vault.hints:
            await vault.hints.aclose()
        await vault.redis.aclose()
