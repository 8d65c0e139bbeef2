"""File descriptors: how many the process may have, and how many of them are for connections.

Owns that the soft limit is raised to the hard one, which any process may do, and that Redis, the authority, Graph and
files keep descriptors when connections take all that they may.
Never counts what is open.
"""

import contextlib
import sys
from typing import Final

if sys.platform != "win32":
    import resource

MOST_DESCRIPTORS: Final = 65_536
"""Where the hard limit is higher, or there is none: every connection costs memory, too."""
MOST_CONNECTIONS: Final = 10_000
RESERVED: Final = 512
"""For all that is no connection of a client: 50 connections to each Redis server, and those to the authority, Graph and
the API, which have pools of their own."""
OPERATORS: Final = 64
"""Connections of operators and of what collects metrics, out of what is reserved."""
# What macOS allows where it says that there is no limit.
_MACOS_MOST: Final = 10_240


def raise_descriptor_limit() -> int:
    """Let the process have as many descriptors as it may; return how many that are."""
    if sys.platform == "win32":
        return MOST_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    for limit in (wanted, min(wanted, _MACOS_MOST)):
        if soft != resource.RLIM_INFINITY and soft < limit:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return limit
    return wanted if soft == resource.RLIM_INFINITY else soft


def connections_within(descriptors: int) -> int:
    """Return how many connections a process with so many descriptors takes; half of them where it has few."""
    return min(MOST_CONNECTIONS, max(descriptors - RESERVED, descriptors // 2))


def operators_connections_within(descriptors: int) -> int:
    """Return how many connections of operators a process with so many descriptors takes."""
    return min(OPERATORS, descriptors // 8)
