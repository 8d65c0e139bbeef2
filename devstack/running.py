"""The note that a run leaves beside its logs while it runs: what each part was told, for whoever looks at it.

Owns the file, which holds secrets and so is its owner's alone, and the lock by which a note of a run that is over, or
was killed, is told from one that is true. POSIX only, as the launcher is.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from devstack.environment import Settings, is_setting

_NAME = "running.json"

Parts = dict[str, Settings]


@contextmanager
def noted(workdir: Path, parts: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    """Leave a note of what the parts were told while the block runs; `parts` are environments by the part's name."""
    settings = {
        part: {name: value for name, value in environment.items() if is_setting(name)}
        for part, environment in parts.items()
    }
    path = workdir / _NAME
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        # Two runs of one working copy do not happen: their ports are the same. If they do, the second leaves no note.
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate()
            json.dump(settings, file)
            file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def note_of_run(workdir: Path) -> Parts | None:
    """Return what the parts of a run that is under way were told, or None where there is none."""
    try:
        with (workdir / _NAME).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                content: Parts = json.load(file)
                return content
    except (OSError, ValueError):
        return None
    return None
