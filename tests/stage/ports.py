"""TCP ports for what tests start: no two processes of one test run are ever given the same one.

Owns the range that tests take ports from, and which share of it belongs to which of pytest's workers. Whether a port
is free on this computer is for devstack.ports to say. Never listens, so that a port can be named before anything runs.
"""

import itertools
import os
import random
from collections.abc import Iterator, Mapping
from typing import Final

from devstack.ports import Ports, in_use

# Below the ports that the launcher chooses from, and below those that outgoing connections are given.
RANGE: Final = range(10_000, 20_000)


def share(environment: Mapping[str, str]) -> range:
    """Return the ports of one process of the run, as pytest-xdist names it; a run without workers has all of them."""
    number = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = len(RANGE) // int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return RANGE[number * size : (number + 1) * size]


def _round(ports: range) -> Iterator[int]:
    # From anywhere: two test runs on one computer rarely meet.
    start = random.randrange(len(ports))  # noqa: S311 -- spread, not secrecy
    return itertools.cycle([*ports[start:], *ports[:start]])


_MINE = share(os.environ)
_NEXT = _round(_MINE)


def free_port() -> int:
    """Return a port that nobody listens on, and that this process is not given again for a long time."""
    return next(port for port in itertools.islice(_NEXT, len(_MINE)) if not in_use(port))


def free_ports() -> Ports:
    """Return one for each part of the product."""
    return Ports(*(free_port() for _ in Ports.__slots__))
