"""A load by wrk: one thread that keeps connections busy, and what it saw.

wrk is given no script, so that it is never what is measured. Raises MissingProgramError where it is not installed.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_COUNT: Final = re.compile(r"(\d+) requests in")
_RATE: Final = re.compile(r"Requests/sec: +([\d.]+)")
_LATENCY: Final = re.compile(r"^ +(50|99)% +([\d.]+)(us|ms|s|m) *$", re.MULTILINE)
_BAD: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_ERRORS: Final = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_MILLISECONDS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class MissingProgramError(Exception):
    """A program is not installed; the message says which one and where it comes from."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one load was answered."""

    requests: int
    per_second: float
    p50: float
    """Milliseconds."""
    p99: float
    bad: int
    """Answers of 400 and more, and connections that failed."""


def loaded(url: str, headers: Mapping[str, str], *, seconds: int, connections: int, core: int) -> Load:
    """Ask for an address as often as it is answered, from one core."""
    program = shutil.which("wrk")
    if program is None:
        raise MissingProgramError("wrk is not installed (Debian: wrk)")
    named = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    options = ["--latency", "-t1", f"-c{connections}", f"-d{seconds}s", *named]
    done = subprocess.run(  # noqa: S603 -- a program that we name, with a load that we chose
        ["taskset", "-c", str(core), program, *options, url],  # noqa: S607 -- of util-linux
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    return read(done.stdout)


def read(text: str) -> Load:
    """Read what wrk prints; raises ValueError where that is something else."""
    count, rate = _COUNT.search(text), _RATE.search(text)
    times = {percent: float(value) * _MILLISECONDS[unit] for percent, value, unit in _LATENCY.findall(text)}
    if count is None or rate is None or set(times) != {"50", "99"}:
        raise ValueError(f"wrk printed no figures: {text[-300:]!r}")
    bad, errors = _BAD.search(text), _ERRORS.search(text)
    failed = sum(map(int, errors.groups())) if errors else 0
    return Load(int(count[1]), float(rate[1]), times["50"], times["99"], failed + (int(bad[1]) if bad else 0))
