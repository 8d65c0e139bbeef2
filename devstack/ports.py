"""TCP ports on this computer: free ones, taken ones, and who took them.

Owns the sentence about a port in use. Never listens for longer than a moment, so a port found free may be taken by
the time it is used; the parts report that themselves.
"""

import errno
import itertools
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import LaunchError

# Below the range from which Linux and macOS take ports for outgoing connections, so that a busy test run
# does not steal what was just found free.
_FREE_RANGE = range(20_000, 32_000)
_START = random.choice(_FREE_RANGE)  # noqa: S311 -- spread, not secrecy
# One after the other from a random start: no port twice in one process, and two test runs rarely meet.
_candidates: Iterator[int] = itertools.cycle(
    [*range(_START, _FREE_RANGE.stop), *range(_FREE_RANGE.start, _START)]
)
_ATTEMPTS = 500
_LISTENING = "0A"  # the state's code in /proc/net/tcp


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part listens."""

    gateway: int
    admin: int
    api: int
    tenant: int
    valkey: int


def free_ports() -> Ports:
    """Find five ports that nobody listens on."""
    taken: list[int] = []
    for port in itertools.islice(_candidates, _ATTEMPTS):
        if not in_use(port):
            taken.append(port)
        if len(taken) == len(Ports.__slots__):
            return Ports(*taken)
    raise LaunchError("No free TCP ports were found on this computer.")


def free_port() -> int:
    """Find one port that nobody listens on."""
    for port in itertools.islice(_candidates, _ATTEMPTS):
        if not in_use(port):
            return port
    raise LaunchError("No free TCP port was found on this computer.")


def in_use(port: int) -> bool:
    """Say whether anybody answers on the port, or holds it, on either loopback address."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as caller:
            caller.settimeout(0.3)
            if caller.connect_ex((host, port)) == 0:
                # A browser asks ::1 for "localhost" first, so a stranger there would answer instead of us.
                return True
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as problem:
            return problem.errno == errno.EADDRINUSE
    return False


def require_free(port: int, part: str, option: str) -> None:
    """Raise LaunchError, naming the part, the port, its holder and the option, when the port is taken."""
    if not in_use(port):
        return
    holder = owner(port)
    by_whom = f" by {holder}" if holder else ""
    raise LaunchError(
        f"Port {port}, which the {part} wants, is in use{by_whom}. "
        f"Stop that program, or choose another port with {option}."
    )


def owner(port: int) -> str | None:
    """Name the command and process id of the program that listens on a port, as far as this user may see it."""
    if Path("/proc/net/tcp").exists():
        return _owner_by_proc(port)
    if shutil.which("lsof"):
        answer = subprocess.run(
            ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        fields = {line[0]: line[1:] for line in answer.splitlines() if line}
        if "p" in fields:
            return f"`{fields.get('c', '?')}` (process {fields['p']})"
    return None


def _owner_by_proc(port: int) -> str | None:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and int(columns[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{columns[9]}]")
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or belongs to somebody else
            if any(str(entry.readlink()) in inodes for entry in (process / "fd").iterdir()):
                command = (
                    (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                )
                return f"`{command[:80]}` (process {process.name})"
    return None
