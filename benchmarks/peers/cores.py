"""Processes on cores: which core a program may use, and how much computing it took.

Reads and sets what Linux tells of a process and of all that it has started. Starts and ends nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM = 1, 11, 12
"""Of the words behind a process's name in /proc/PID/stat (proc_pid_stat(5)): ppid, utime, stime."""


def family(pid: int) -> list[int]:
    """Return a process and what it has started, and they in turn."""
    children: dict[int, list[int]] = {}
    for other in _processes():
        words = _stat(other)
        if words:
            children.setdefault(int(words[_PARENT]), []).append(other)
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def pin(pid: int, core: int) -> None:
    """Keep a process, what it has started, and all their threads on one core."""
    for one in family(pid):
        for thread in Path(f"/proc/{one}/task").glob("*"):
            os.sched_setaffinity(int(thread.name), {core})


def computing_seconds(pid: int) -> float:
    """Return what a process and what it has started and not buried yet took so far, in seconds of one core."""
    stats = filter(None, map(_stat, family(pid)))
    return sum(int(words[_USER]) + int(words[_SYSTEM]) for words in stats) / _TICKS


def _processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended meanwhile
        return []
    return text.rpartition(")")[2].split()
