"""Whether a server has any replica at all.

A replica that is there and does not acknowledge may be the next master; one that is not there for long is none that a
failover would take while the master lives, and waiting for it keeps people from signing out for as long as nobody mends
it (docs/explanation/decisions/2026-11-26-sign-out-without-a-replica.md).
Owns since when a server is alone. Never decides what that means.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from redis.exceptions import RedisError

from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster

ALONE_SECONDS: Final = 30
"""As long as Sentinel waits, unless told otherwise, before it takes a master for lost."""
LOOK_SECONDS: Final = 10
# Between two looks that are further apart a replica may have come and gone.
_FORGOTTEN_SECONDS: Final = 60
_ANSWER_SECONDS: Final = 0.4


class ReplicaWatch:
    """Knows which servers have had no replica for a while; `now` is a clock that nobody sets, in seconds."""

    def __init__(
        self, redis: GuardedRedis | GuardedCluster, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = redis
        self._now = now
        # By server: since when it is alone, and when that was seen last.
        self._alone: dict[str, tuple[float, float]] = {}

    async def run(self) -> None:
        """Look every ten seconds, so that whoever signs out later need not wait; a cluster is looked at then."""
        while not self._redis.has_slots:
            await self.is_alone("")
            await asyncio.sleep(LOOK_SECONDS)

    async def is_alone(self, key: str) -> bool:
        """Look at the server of a key; tell whether it has had no replica for half a minute. Raises nothing."""
        count = await self._count(key)
        server, now = self._redis.server_of(key), self._now()
        since, seen = self._alone.pop(server, (now, now))
        if count != 0:
            return False
        if now - seen > _FORGOTTEN_SECONDS:
            since = now
        self._alone[server] = (since, now)
        return now - since >= ALONE_SECONDS

    async def _count(self, key: str) -> int | None:
        """Return how many replicas are connected; None where nobody says.

        On a connection that has written nothing WAIT counts all of them, and needs no right that we have not got. A new
        connection asks Sentinel who the master is.
        """
        connection: Any = None
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                connection = await self._redis.new_connection(key)
                await connection.connect()
                await connection.send_command("WAIT", 0, 1)
                return int(await connection.read_response())
        except (RedisError, OSError, TimeoutError):
            return None
        finally:
            if connection is not None:
                await connection.disconnect(nowait=True)
