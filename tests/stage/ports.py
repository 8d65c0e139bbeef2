"""TCP ports for what tests start: no two processes that run tests on this computer are ever given the same one.

Owns the range that tests take ports from, which share of it belongs to which of pytest's workers, and who has which:
a byte of a file is locked for each, which the system gives back when the process ends. Whether a port is free is for
devstack.ports to say. Never listens, so that a port can be named before anything runs.
"""

import fcntl
import itertools
import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from devstack.ports import Ports, in_use

# Below the ports that the launcher chooses from, and below those that outgoing connections are given.
RANGE: Final = range(10_000, 20_000)


def share(environment: Mapping[str, str]) -> range:
    """Return the ports of one process of the run, as pytest-xdist names it; a run without workers has all of them."""
    count = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # A worker that crashed is followed by one of a higher number, which has the ports of somebody before.
    number = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % count
    size = len(RANGE) // count
    return RANGE[number * size : (number + 1) * size]


def _round(ports: range) -> Iterator[int]:
    # From anywhere: two test runs on one computer rarely meet.
    start = random.randrange(len(ports))  # noqa: S311 -- spread, not secrecy
    return itertools.cycle([*ports[start:], *ports[:start]])


_MINE = share(os.environ)
_NEXT = _round(_MINE)


# Open as long as the process lives; a lock ends with any descriptor of its file.
_GIVEN: Final = os.open(
    Path(tempfile.gettempdir()) / f"stepup-ports-of-tests-{os.getuid()}", os.O_RDWR | os.O_CREAT, 0o600
)


def taken(port: int) -> bool:
    """Take a port for this process; return whether it is its own now, or was before."""
    try:
        fcntl.lockf(_GIVEN, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a port that nobody listens on, and that this process is not given again for a long time."""
    return next(port for port in itertools.islice(_NEXT, len(_MINE)) if taken(port) and not in_use(port))


def free_ports() -> Ports:
    """Return one for each part of the product."""
    return Ports(*(free_port() for _ in Ports.__slots__))
