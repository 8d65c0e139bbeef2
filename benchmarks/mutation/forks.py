"""Forks of a process in which everything is loaded, each for one run.

Owns what a run may take, and what its end says. Never knows what is run.
"""

import math
import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PASSED: Final = 0
FAILED: Final = 1
DOES_NOT_FIT: Final = 2
"""The mutant cannot be put in the place of what is loaded."""
BROKE: Final = 3
"""Something failed that is no test."""
_ENDS: Final = frozenset({PASSED, FAILED, DOES_NOT_FIT, BROKE})
_MOST_MEMORY: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class Limit:
    """What one run may take, in seconds: of the clock, and of a processor's time."""

    seconds: float
    computing: int


def forked(work: Callable[[], int], limit: Limit | None) -> int | None:
    """Do `work` in a fork; return its result, or None when it took more than the limit."""
    pid = os.fork()
    if pid == 0:
        code = BROKE
        try:
            os.setsid()
            if limit:
                resource.setrlimit(resource.RLIMIT_CPU, (limit.computing, limit.computing))
                resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
            code = work()
        except BaseException:  # noqa: BLE001 - a fork ends here, whatever happened
            traceback.print_exc()
        finally:
            os._exit(code)
    deadline = time.monotonic() + limit.seconds if limit else math.inf
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            ended = os.waitpid(pid, 0)
            break
        time.sleep(0.002)
    ended_with = os.waitstatus_to_exitcode(ended[1])
    return ended_with if ended_with in _ENDS else None
