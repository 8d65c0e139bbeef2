"""From settings to a trail: where it goes, and by which keys.

Owns that a trail without a file goes to standard output, and that one without either is told of and stops nobody.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from servicekit.audit.chain import TrailKeys
from servicekit.audit.target import FileTarget, StreamTarget, Target
from servicekit.audit.trail import Trail
from servicekit.logs import log_event

_log = logging.getLogger(__name__)


@contextmanager
def open_trail(path: str | None, keys: Iterable[bytes], *, service: str) -> Iterator[Trail]:
    """Give the trail of this process while the block runs; `path` is its file, or None. Raises OSError."""
    target = FileTarget(Path(path)) if path else _standard_output()
    trail = Trail(target, TrailKeys(keys), service=service)
    try:
        yield trail
    finally:
        trail.end()


def _standard_output() -> Target:
    if sys.stdout is None:  # closed by whoever started us; its descriptor may be a person's connection by now
        log_event(_log, logging.ERROR, "audit-not-written", reason="standard output is closed")
        return FileTarget(Path(os.devnull))
    return StreamTarget(sys.stdout.fileno())
