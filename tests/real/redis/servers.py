"""Redis servers that a test starts, breaks and stops."""

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
from devstack.processes import Child, Program
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

# A server answers at once, unless this computer does not let it.
_ANSWER_SECONDS = 10


class RedisServer:
    """One server on a free port, behind a password; `settings` are lines of its configuration.

    With `tls`, its certificate's settings, it speaks TLS on a port of its own, and to others of its kind.
    """

    def __init__(
        self,
        keeper: Keeper,
        folder: Path,
        settings: Mapping[str, str],
        *,
        binary: str,
        password: str = "",
        sentinel: bool = False,
        tls: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.tls_port = free_port() if tls else 0
        self.password = "" if sentinel else password or secrets.token_urlsafe(12)
        self.folder = folder / f"{'sentinel' if sentinel else 'redis'}-{self.port}"
        self.folder.mkdir(parents=True)
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "loglevel": "notice",
            **({} if sentinel else self._of_server()),
            **({**self._of_tls(), **tls} if tls else {}),
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

    def _of_tls(self) -> dict[str, str]:
        return {"tls-port": str(self.tls_port), "tls-auth-clients": "no", "tls-replication": "yes"}

    @property
    def heard_at(self) -> int:
        """The port that others are told: that of TLS, where there is one."""
        return self.tls_port or self.port

    @property
    def url(self) -> str:
        """For GATEWAY_REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def by_way_of(self, port: int) -> str:
        """For GATEWAY_REDIS_URL, with a proxy in between."""
        return f"redis://:{self.password}@127.0.0.1:{port}/0"

    def begin(self) -> None:
        """Start it and wait for nothing."""
        self._child.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.begin()
        until(self.is_up, self.log)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._child.kill()

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
            socket_timeout=_ANSWER_SECONDS,
            decode_responses=True,
            protocol=2,
        ) as client:
            return client.execute_command(*words)

    def info(self, section: str) -> dict[str, Any]:
        """Read one section of INFO."""
        section_lines: dict[str, Any] = self.ask("INFO", section)
        return section_lines

    def is_written(self) -> bool:
        """Whether the file holds all that was confirmed, so that the end of the process loses nothing of it."""
        return bool(self.info("persistence")["aof_buffer_length"] == 0)

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

    def begun(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        binary: str | None = None,
        password: str = "",
        sentinel: bool = False,
        tls: Mapping[str, str] | None = None,
    ) -> RedisServer:
        """Begin a server with more lines of configuration; what comes after a # in a name only keeps it apart."""
        server = RedisServer(
            self._keeper,
            self._folder,
            settings or {},
            binary=binary or self._binary,
            password=password,
            sentinel=sentinel,
            tls=tls,
        )
        self._started.append(server)
        server.begin()
        return server

    def one(self, settings: Mapping[str, str] | None = None, **more: Any) -> RedisServer:
        """Start a server and wait until it answers; takes what `begun` takes."""
        server = self.begun(settings, **more)
        until(server.is_up, server.log)
        return server

    def close(self) -> None:
        """End everything at once: nothing in it is worth a farewell."""
        for server in self._started:
            server.kill()
        self._keeper.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def until(holds: Any, log: Any) -> None:
    """Wait until something holds; fail with what the server said."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if holds():
                return
        except (RedisError, OSError):
            pass
        assert time.monotonic() < deadline, log()
        time.sleep(0.02)
