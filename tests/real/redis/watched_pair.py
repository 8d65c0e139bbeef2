"""A master with a replica, and a sentinel that watches them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.real.redis.servers import RedisServer, Servers, until

MASTER: Final = "people"
# Of a busy computer Sentinel would otherwise believe that a server is lost which was only slow for a moment.
_NEVER_LOST_MS: Final = 60_000
_SOON_LOST_MS: Final = 100
# How often it asks for INFO and tells others of itself, and how late it may be without holding itself for ill.
_TIMINGS: Final = {"info-period": 200, "publish-period": 200, "tilt-trigger": 60_000}


class WatchedPair:
    """A master with a replica, watched by one sentinel, which fails over only once a test has said that it may."""

    def __init__(
        self, servers: Servers, *, binary: str | None = None, tls: Mapping[str, str] | None = None
    ) -> None:
        self.master = servers.begun(binary=binary, tls=tls)
        password, place = self.master.password, f"127.0.0.1 {self.master.heard_at}"
        self.replica = servers.begun({"replicaof": place}, binary=binary, password=password, tls=tls)
        self.sentinel = servers.begun(
            {
                "sentinel#1": f"monitor {MASTER} {place} 1",
                "sentinel#2": f"auth-pass {MASTER} {password}",
                "sentinel#3": f"down-after-milliseconds {MASTER} {_NEVER_LOST_MS}",
                "sentinel#4": f"failover-timeout {MASTER} 5000",
            },
            binary=binary,
            sentinel=True,
            tls=tls,
        )
        for server in (self.master, self.replica, self.sentinel):
            until(server.is_up, server.log)
        for name, value in _TIMINGS.items():
            self.sentinel.ask("SENTINEL", "DEBUG", name, value)
        until(lambda: self.replica.info("replication")["master_link_status"] == "up", self.replica.log)
        # A sentinel that has first heard of a replica without anything in it would wait ten seconds to choose it.
        self.master.ask("SET", "anything", "x", "PX", 1)
        until(lambda: self.replica.info("replication")["slave_repl_offset"] > 0, self.replica.log)
        until(lambda: len(self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)) == 1, self.sentinel.log)
        # A sentinel that has not heard INFO from the replica yet would not choose it.
        until(lambda: self._known()["slave-repl-offset"] not in {0, "0"}, self.sentinel.log)

    @property
    def url(self) -> str:
        """For GATEWAY_REDIS_URL."""
        scheme = "rediss" if self.sentinel.tls_port else "redis"
        return f"{scheme}+sentinel://:{self.master.password}@127.0.0.1:{self.sentinel.heard_at}/{MASTER}"

    @asynccontextmanager
    async def failing_over(
        self, *, silent: bool = False, noticed_after_ms: int = _SOON_LOST_MS
    ) -> AsyncIterator[None]:
        """Kill the master, or let it fall silent, and run the block while Sentinel notices and fails over.

        It chooses no replica that had lost its master for ten times as long before.
        """
        if silent:
            self.master.freeze()
        else:
            self.master.kill()
        self._down_after(noticed_after_ms)
        over = asyncio.create_task(asyncio.to_thread(self._stay_with_the_new_master))
        try:
            yield
        finally:
            await over

    def cut_replication(self) -> None:
        """Keep the replica from hearing of anything new, while Sentinel sees both alive."""
        self.replica.ask("CONFIG", "SET", "masterauth", "wrong")
        self.master.ask("CLIENT", "KILL", "TYPE", "replica")
        until(lambda: self.replica.info("replication")["master_link_status"] == "down", self.replica.log)

    def swap_roles(self) -> None:
        """Bring the master that was killed back, as a replica of the one that was promoted."""
        self.master.start()
        self.master.ask("REPLICAOF", "127.0.0.1", self.replica.heard_at)
        until(lambda: self.replica.info("replication")["connected_slaves"] == 1, self.master.log)
        until(lambda: self.replica.ask("WAIT", 1, 100) == 1, self.master.log)

    def promoted(self) -> bool:
        """Whether the replica is the master now."""
        return is_master(self.replica)

    def _stay_with_the_new_master(self) -> None:
        ask = self.sentinel.ask
        new = ["127.0.0.1", str(self.replica.heard_at)]
        until(lambda: [*ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)] == new, self.sentinel.log)
        self._down_after(_NEVER_LOST_MS)

    def _down_after(self, milliseconds: int) -> None:
        self.sentinel.ask("SENTINEL", "SET", MASTER, "down-after-milliseconds", milliseconds)

    def _known(self) -> dict[str, Any]:
        (pairs,) = self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)
        return dict(zip(pairs[::2], pairs[1::2], strict=True))


def is_master(server: RedisServer) -> bool:
    """Whether it takes itself for a master."""
    return bool(server.info("replication")["role"] == "master")
