"""The parent's side of the process that forks workers: what the two tell each other, and how that one is started.

Owns the messages, and that a fork server which ended is told of. Never decides how many workers there are.
Imports next to nothing, because the parent does: the settings are bytes here.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Final

from servicekit.http.orders import signals_held

FORKS: Final = "STEPUP_FORKS"
"""The variable by which a process knows that it is the fork server, and at which descriptor its parent is."""
_ENDING_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Fork:
    """Fork a worker, which the parent knows by this number; its end of a pipe comes behind this."""

    number: int


@dataclass(frozen=True, slots=True)
class Read:
    """Read the settings again."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Leave out of what is counted what a process showed that is no more."""

    pid: int


@dataclass(frozen=True, slots=True)
class Forked:
    """A worker lives; without a process id where the system had no room for it."""

    number: int
    pid: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker has ended; negative for a signal: -9 is, as a rule, the system's when memory is short."""

    number: int
    exit_code: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """Settings that were read: pickled, for workers, and what the parent itself goes by."""

    settings: bytes
    log_level: str
    shutdown_delay_seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Settings that cannot be used, a sentence for each fault."""

    faults: list[str]


Order = Fork | Read | Forget
Report = Forked | Ended | Fresh | Refused


def send_descriptor(pipe: Connection, descriptor: int) -> None:
    """Send a descriptor behind a message."""
    with socket.fromfd(pipe.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as way:
        socket.send_fds(way, [b"\0"], [descriptor])


def receive_descriptor(pipe: Connection) -> int:
    """Return the descriptor that comes behind a message; raises EOFError where its sender has ended meanwhile."""
    with socket.fromfd(pipe.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as way:
        _, descriptors, _, _ = socket.recv_fds(way, 1, 1)
    if not descriptors:
        raise EOFError
    return descriptors[0]


class ForkServer:
    """One process that forks; `on_report` is called with what it says, `on_end` when it is no more.

    `command` is that of the gateway, so that it finds the same code; the environment says that it is the fork server.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        on_report: Callable[[Report], None],
        on_end: Callable[["ForkServer"], None],
    ) -> None:
        self._on_report = on_report
        self._on_end = on_end
        self.here_since: float | None = None
        """When it had imported everything, and said with which settings; by the loop's clock."""
        self._pipe, theirs = Pipe()
        with signals_held():
            self._process = subprocess.Popen(  # noqa: S603 - the very command that this process is
                command,
                env={**environment, FORKS: str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
            )
        theirs.close()
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._heard)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def fork(self, number: int) -> Connection:
        """Ask for a worker, and return the parent's end of the pipe to it."""
        ours, theirs = Pipe()
        with theirs, contextlib.suppress(OSError):  # it has ended, and is heard of by its end
            self._pipe.send(Fork(number))
            send_descriptor(self._pipe, theirs.fileno())
        return ours

    def tell(self, order: Read | Forget) -> None:
        """Ask for something else."""
        with contextlib.suppress(OSError):  # the same
            self._pipe.send(order)

    def close(self) -> int:
        """Let it end; return its exit status."""
        asyncio.get_running_loop().remove_reader(self._pipe.fileno())
        self._pipe.close()
        try:
            return self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _heard(self) -> None:
        try:
            report: Report = self._pipe.recv()
        except (EOFError, OSError):
            self._on_end(self)
            return
        self.here_since = self.here_since or asyncio.get_running_loop().time()
        self._on_report(report)


def fork_servers_pipe(descriptor: str) -> Connection:
    """Return the fork server's end, which no worker's own children get."""
    os.set_inheritable(int(descriptor), False)  # noqa: FBT003 - the system's own
    return Connection(int(descriptor))
