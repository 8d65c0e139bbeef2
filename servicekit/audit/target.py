"""Where the trail is written: a file that others may rotate, or standard output.

Owns the descriptor, that a line is never torn by another process, and what a rotation is: a file that was moved away is
opened anew, and one that was truncated is told of.
Never waits for longer than a moment, and knows nothing of lines but where they end.
"""

import os
import select
import stat
from pathlib import Path
from typing import Final, Protocol

from servicekit.audit.chain import LONGEST_LINE

_TAIL_BYTES: Final = 65_536
_LOOK_MILLISECONDS: Final = 200


class Target(Protocol):
    """Takes lines."""

    def tail(self) -> bytes:
        """Return the end of what is there already."""

    def write(self, lines: bytes) -> int:
        """Write whole lines and return how many bytes were taken; raises OSError."""

    def was_truncated(self) -> bool:
        """Tell, once, that what was written before is gone although the file is the same."""

    def close(self) -> None:
        """Let go of it."""


class StreamTarget:
    """A descriptor that somebody reads, such as standard output: a line at a time, each in one piece."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting = select.poll()
        self._waiting.register(descriptor, select.POLLOUT)

    def tail(self) -> bytes:
        """Return nothing: who reads has what was there."""
        return b""

    def write(self, lines: bytes) -> int:
        """Write one piece, if it is taken soon."""
        piece = lines
        if len(piece) > LONGEST_LINE:
            piece = piece[: piece.rfind(b"\n", 0, LONGEST_LINE) + 1]
        # Never inside of `write`: a thread that waits there cannot be told that it is over.
        return os.write(self._descriptor, piece) if self._waiting.poll(_LOOK_MILLISECONDS) else 0

    def was_truncated(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Leave the descriptor to whoever has it."""


class FileTarget:
    """A file that is appended to, made for its owner alone; `path` may be moved away or truncated by a rotation."""

    def __init__(self, path: Path) -> None:
        """Open it; raises OSError."""
        self._path = path
        self._descriptor = self._opened()
        self._size = os.fstat(self._descriptor).st_size
        self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        tail = self.tail()
        self._cut = bool(tail) and not tail.endswith(b"\n")

    def tail(self) -> bytes:
        """Return the last lines."""
        if not self._is_file:
            return b""
        with self._path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read()

    def write(self, lines: bytes) -> int:
        """Append in one step, in which no other process' lines come; behind a line that was cut short, on a new one."""
        self._follow()
        begin = b"\n" if self._cut else b""
        taken = os.write(self._descriptor, begin + lines) - len(begin)
        whole = lines.rfind(b"\n", 0, max(taken, 0)) + 1
        self._cut = self._is_file and whole != taken
        self._size += taken + len(begin)
        return whole

    def was_truncated(self) -> bool:
        """Tell, once, that the file is smaller than what was written to it."""
        size = os.fstat(self._descriptor).st_size if self._is_file else self._size
        truncated = size < self._size
        self._size = size
        return truncated

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _follow(self) -> None:
        """Open the path anew where another file has its name by now, or none: a rotation moved ours away."""
        if not self._is_file:
            return
        try:
            named = self._path.stat()
        except FileNotFoundError:
            named = None
        ours = os.fstat(self._descriptor)
        if named is None or (named.st_dev, named.st_ino) != (ours.st_dev, ours.st_ino):
            fresh = self._opened()
            os.close(self._descriptor)
            self._descriptor, self._size = fresh, os.fstat(fresh).st_size
            self._cut = False

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
