"""A master with a replica, and a sentinel that watches them."""

from collections.abc import Mapping
from typing import Any

from tests.real.redis.servers import Servers, until

MASTER = "people"


class WatchedPair:
    """A master with a replica, watched by one sentinel that fails over after half a second."""

    def __init__(
        self, servers: Servers, *, binary: str | None = None, tls: Mapping[str, str] | None = None
    ) -> None:
        self.master = servers.one(binary=binary, tls=tls)
        password, place = self.master.password, f"127.0.0.1 {self.master.heard_at}"
        self.replica = servers.one({"replicaof": place}, binary=binary, password=password, tls=tls)
        until(lambda: self.replica.info("replication")["master_link_status"] == "up", self.replica.log)
        # A sentinel that has first heard of a replica without anything in it would wait ten seconds to choose it.
        self.master.ask("SET", "anything", "x", "PX", 1)
        until(lambda: self.replica.info("replication")["slave_repl_offset"] > 0, self.replica.log)
        self.sentinel = servers.one(
            {
                "sentinel#1": f"monitor {MASTER} {place} 1",
                "sentinel#2": f"auth-pass {MASTER} {password}",
                "sentinel#3": f"down-after-milliseconds {MASTER} 500",
                "sentinel#4": f"failover-timeout {MASTER} 2000",
            },
            binary=binary,
            sentinel=True,
            tls=tls,
        )
        until(lambda: len(self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)) == 1, self.sentinel.log)
        # A sentinel that has not heard INFO from the replica yet would not choose it.
        until(lambda: self._known()["slave-repl-offset"] not in {0, "0"}, self.sentinel.log)

    @property
    def url(self) -> str:
        """For GATEWAY_REDIS_URL."""
        scheme = "rediss" if self.sentinel.tls_port else "redis"
        return f"{scheme}+sentinel://:{self.master.password}@127.0.0.1:{self.sentinel.heard_at}/{MASTER}"

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
        return bool(self.replica.info("replication")["role"] == "master")

    def _known(self) -> dict[str, Any]:
        (pairs,) = self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)
        return dict(zip(pairs[::2], pairs[1::2], strict=True))
