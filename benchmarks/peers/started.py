"""A program that runs while it is measured: started on a core, waited for, and ended by its process id.

"There" means that its port takes connections; whether what it answers is right, `peer.py` asks.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from benchmarks.peers.cores import pin
from devstack.keeper import Keeper
from devstack.processes import Child, Program

_START_SECONDS: Final = 30
_GRACE: Final = 5


class NotStartedError(Exception):
    """A program ended, or did not take connections; the message has its last words."""


@contextmanager
def started(program: Program, port: int, core: int) -> Iterator[int]:
    """Run a program while the block runs, and yield its process id. Raises NotStartedError."""
    with closing(Keeper()) as keeper:
        child = Child(program, keeper)
        child.start()
        try:
            _wait(child, port)
            assert child.pid is not None
            pin(child.pid, core)
            yield child.pid
        finally:
            child.stop(grace=_GRACE)


def _wait(child: Child, port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _takes_connections(port):
        if not child.running or time.monotonic() > deadline:
            words = " ".join(child.log().split())[-400:]
            raise NotStartedError(f"{child.name} did not start: {words or 'it said nothing'}")
        time.sleep(0.05)


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
