"""From settings to a trail: where it goes, and by which keys.

Owns that a trail without a file goes to standard output.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from servicekit.audit.chain import TrailKeys
from servicekit.audit.target import FileTarget, StreamTarget
from servicekit.audit.trail import Trail


@contextmanager
def open_trail(path: str | None, keys: Iterable[bytes], *, service: str) -> Iterator[Trail]:
    """Give the trail of this process while the block runs; `path` is its file, or None. Raises OSError."""
    target = FileTarget(Path(path)) if path else StreamTarget(sys.stdout.fileno())
    trail = Trail(target, TrailKeys(keys), service=service)
    try:
        yield trail
    finally:
        trail.end()
