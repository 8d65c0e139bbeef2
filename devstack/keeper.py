"""The keeper: a small process that ends the launcher's children when the launcher is gone, however it went.

Owns the promise "no orphans" for the case that nobody can handle, SIGKILL of the launcher. The launcher holds the
writing end of a pipe and tells the keeper each process group it starts and ends; when the pipe closes, whatever is
still on the list is stopped. This works on every POSIX system and reaches grandchildren too, which Linux'
PR_SET_PDEATHSIG does not.
Never starts anything, and is itself a script without imports from this package: it runs isolated (`-I -S`).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 5.0
_POLL_SECONDS = 0.05


class Keeper:
    """The launcher's end of the pipe. Not thread-safe against itself being closed meanwhile."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The keeper's own process id."""
        return self._process.pid

    def watch(self, group: int) -> None:
        """Put a process group on the list of those to end."""
        self._groups.add(group)
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """Take a process group that has ended off the list."""
        self._groups.discard(group)
        self._tell(f"-{group}")

    def close(self) -> None:
        """End the keeper, and with it every group that is still on the list."""
        assert self._process.stdin is not None  # noqa: S101 -- it was opened with a pipe
        with contextlib.suppress(OSError):  # what was not sent to a dead keeper
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 -- it was opened with a pipe
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except OSError:  # somebody killed the keeper: a new one takes over the whole list
            self.close()
            self._process = self._start()
            for group in sorted(self._groups):
                self._tell(f"+{group}")

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the console is the launcher's to handle
        )


def keep(lines: Iterable[bytes]) -> set[int]:
    """Read the launcher's messages until the pipe closes; the groups that are left come back."""
    groups: set[int] = set()
    for line in lines:
        sign, group = line[:1], int(line[1:])
        if sign == b"+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def end(groups: set[int], grace: float = GRACE_SECONDS) -> None:
    """Stop process groups: SIGTERM, some time, SIGKILL."""
    deadline = time.monotonic() + grace
    groups = {group for group in groups if _signal(group, signal.SIGTERM)}
    while groups and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        groups = {group for group in groups if _signal(group, 0)}
    for group in groups:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group of zombies
        return False
    return True


if __name__ == "__main__":
    end(keep(sys.stdin.buffer))
