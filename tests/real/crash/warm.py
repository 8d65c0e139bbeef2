"""Becomes a gateway as often as it is asked, and has all code loaded by then: most of a start is reading it.

A process of its own, without threads and loops, which forks. Each line that it reads is one gateway's environment as
JSON; it answers with the process id, and once that has ended with its exit status, negative for a signal.
"""

import functools
import json
import os
import sys
from collections.abc import Mapping

from gateway.operation.serving import serve
from gateway.settings import PREFIX, Settings
from servicekit.settings_faults import load_settings


def be_a_gateway(environment: Mapping[str, str]) -> None:
    """Serve until the end, in silence."""
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        load = functools.partial(load_settings, Settings, environment, PREFIX)
        status = serve(load(), load, {})
    finally:
        os._exit(status)


def main() -> None:
    """Go on until there is nothing more to read."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            be_a_gateway(json.loads(line))
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
