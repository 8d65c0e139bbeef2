"""Redis servers that a test starts, breaks and stops: one alone, with a replica and Sentinel, or as a cluster."""

import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError

from devstack.embedded_valkey import server_binary
from devstack.keeper import Keeper
from devstack.ports import free_port
from devstack.processes import Child, Program

MASTER = "people"
_START_SECONDS = 10


class RedisServer:
    """One server on a free port, behind a password; `settings` are lines of its configuration."""

    def __init__(
        self,
        keeper: Keeper,
        folder: Path,
        settings: Mapping[str, str],
        *,
        binary: str,
        password: str = "",
        sentinel: bool = False,
    ) -> None:
        self.port = free_port()
        self.password = "" if sentinel else password or secrets.token_urlsafe(12)
        self.folder = folder / f"{'sentinel' if sentinel else 'redis'}-{self.port}"
        self.folder.mkdir(parents=True)
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "loglevel": "notice",
            **({} if sentinel else self._of_server()),
            **settings,
        }
        file = self.folder / "server.conf"
        file.write_text("".join(f"{name.split('#')[0]} {value}\n" for name, value in lines.items() if value))
        command = (binary, str(file), *(["--sentinel"] if sentinel else []))
        self._child = Child(
            Program("redis", command, dict(os.environ), self.folder, self.folder / "log.txt"), keeper
        )

    def _of_server(self) -> dict[str, str]:
        return {
            "requirepass": self.password,
            "masterauth": self.password,
            "save": '""',
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "repl-diskless-sync-delay": "0",
        }

    @property
    def url(self) -> str:
        """For GATEWAY_REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def by_way_of(self, port: int) -> str:
        """For GATEWAY_REDIS_URL, with a proxy in between."""
        return f"redis://:{self.password}@127.0.0.1:{port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._child.start()
        until(self.is_up, self.log)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._child.kill()

    def stop(self) -> None:
        """End it for good, also when it is frozen."""
        self.thaw()
        self._child.stop(grace=3)

    def freeze(self) -> None:
        """Let it fall silent: connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep it silent while the block runs."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.ask("PING"))
        except (RedisError, OSError):
            return False

    def ask(self, *words: Any) -> Any:
        """Send one command as the administrator."""
        with redis.Redis(
            port=self.port,
            password=self.password or None,
            socket_timeout=2,
            decode_responses=True,
            protocol=2,
        ) as client:
            return client.execute_command(*words)

    def info(self, section: str) -> dict[str, Any]:
        """Read one section of INFO."""
        found: dict[str, Any] = self.ask("INFO", section)
        return found

    def log(self) -> str:
        """Return everything it has written."""
        return self._child.log()

    def _signal(self, number: signal.Signals) -> None:
        if self._child.pid is not None and self._child.running:
            os.kill(self._child.pid, number)


class Servers:
    """Starts servers, and stops all of them in the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keeper = Keeper()
        self._started: list[RedisServer] = []
        self._binary = server_binary(os.environ)

    def one(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        binary: str | None = None,
        password: str = "",
        sentinel: bool = False,
    ) -> RedisServer:
        """Start a server with more lines of configuration; what comes after a # in a name only keeps it apart."""
        server = RedisServer(
            self._keeper,
            self._folder,
            settings or {},
            binary=binary or self._binary,
            password=password,
            sentinel=sentinel,
        )
        self._started.append(server)
        server.start()
        return server

    def watched_pair(self) -> "WatchedPair":
        """Start a master, a replica and a sentinel that watches them."""
        return WatchedPair(self)

    def cluster(self) -> list[RedisServer]:
        """Start three masters that share the slots."""
        password = secrets.token_urlsafe(12)
        nodes = [
            self.one(
                {
                    "cluster-enabled": "yes",
                    "cluster-port": str(free_port()),
                    "cluster-node-timeout": "1000",
                },
                password=password,
            )
            for _ in range(3)
        ]
        for number, node in enumerate(nodes):
            first = number * 5462
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, min(first + 5461, 16_383))
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            bus = nodes[0].ask("CONFIG GET", "cluster-port")["cluster-port"]
            node.ask("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, bus)
        for node in nodes:
            until(lambda node=node: "cluster_state:ok" in node.ask("CLUSTER", "INFO"), node.log)
        for node in nodes:
            until(lambda node=node: len(node.ask("CLUSTER", "SLOTS")) == len(nodes), node.log)
        return nodes

    def close(self) -> None:
        """Stop everything."""
        for server in reversed(self._started):
            server.stop()
        self._keeper.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class WatchedPair:
    """A master with a replica, watched by one sentinel that fails over after half a second."""

    def __init__(self, servers: Servers) -> None:
        self.master = servers.one()
        password = self.master.password
        self.replica = servers.one({"replicaof": f"127.0.0.1 {self.master.port}"}, password=password)
        until(lambda: self.replica.info("replication")["master_link_status"] == "up", self.replica.log)
        self.sentinel = servers.one(
            {
                "sentinel#1": f"monitor {MASTER} 127.0.0.1 {self.master.port} 1",
                "sentinel#2": f"auth-pass {MASTER} {password}",
                "sentinel#3": f"down-after-milliseconds {MASTER} 500",
                "sentinel#4": f"failover-timeout {MASTER} 2000",
            },
            sentinel=True,
        )
        until(lambda: len(self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)) == 1, self.sentinel.log)
        # A sentinel that has not heard INFO from the replica yet would not choose it.
        until(lambda: self._known()["slave-repl-offset"] not in {0, "0"}, self.sentinel.log)

    @property
    def url(self) -> str:
        """For GATEWAY_REDIS_URL."""
        return f"redis+sentinel://:{self.master.password}@127.0.0.1:{self.sentinel.port}/{MASTER}"

    def cut_replication(self) -> None:
        """Keep the replica from hearing of anything new, while Sentinel sees both alive."""
        self.replica.ask("CONFIG", "SET", "masterauth", "wrong")
        self.master.ask("CLIENT", "KILL", "TYPE", "replica")
        until(lambda: self.replica.info("replication")["master_link_status"] == "down", self.replica.log)

    def swap_roles(self) -> None:
        """Bring the master that was killed back, as a replica of the one that was promoted."""
        self.master.start()
        self.master.ask("REPLICAOF", "127.0.0.1", self.replica.port)
        until(lambda: self.replica.info("replication")["connected_slaves"] == 1, self.master.log)
        until(lambda: self.replica.ask("WAIT", 1, 100) == 1, self.master.log)

    def promoted(self) -> bool:
        """Whether the replica is the master now."""
        return bool(self.replica.info("replication")["role"] == "master")

    def _known(self) -> dict[str, Any]:
        (pairs,) = self.sentinel.ask("SENTINEL", "REPLICAS", MASTER)
        return dict(zip(pairs[::2], pairs[1::2], strict=True))


def until(holds: Any, log: Any, *, seconds: float = _START_SECONDS) -> None:
    """Wait until something holds; fail with what the server said."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except (RedisError, OSError):
            pass
        assert time.monotonic() < deadline, log()
        time.sleep(0.02)
