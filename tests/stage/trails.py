"""Trails for tests: written as in production, and judged as the command does."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from servicekit.audit.chain import TrailKeys
from servicekit.audit.fact import Fact
from servicekit.audit.folding import Folding
from servicekit.audit.target import FileTarget
from servicekit.audit.trail import Trail
from servicekit.audit.verification import Judgement, Verification
from tests.stage.patience import PATIENCE

KEYS: Final = TrailKeys([b"k" * 32])
SIGN_IN: Final = Fact("sign-in", "authn_login_success")
_LOOK: Final = Fact("look", "sys_monitor_enabled")
# Longer than any test takes: what is folded is counted at the end, and once.
_WINDOW_SECONDS: Final = 3_600
FORGED: Final = Fact("cross-origin-request", "malicious_csrf")


def trail_to(path: Path, keys: TrailKeys = KEYS, **options: Any) -> Trail:
    """Return the trail of a process that writes to a file."""
    return Trail(FileTarget(path), keys, service="gateway", **options)


def written(path: Path, facts: int = 3, keys: TrailKeys = KEYS) -> list[bytes]:
    """Let a process record some facts and end; return the file's lines with their ends."""
    trail = trail_to(path, keys)
    for number in range(facts):
        trail.record(SIGN_IN, {"person": "ada", "reference": f"{number}"})
    trail.end()
    return path.read_bytes().splitlines(keepends=True)


def judged(*files: Sequence[bytes], keys: TrailKeys = KEYS, **options: bool) -> Judgement:
    """Return the judgement of files, as their lines."""
    verification = Verification(keys, **options)
    for number, lines in enumerate(files):
        verification.judge(f"file {number}", b"".join(lines).splitlines(keepends=True))
    return verification.end()


class ReadTrail:
    """A trail of a test's own, and what was recorded since somebody last looked."""

    def __init__(self, path: Path, *, first: int = 1_000) -> None:
        self._path = path
        self._read = 1  # the line that says that the process began
        self._looks = 0
        self.trail = trail_to(path, folding=Folding(first=first, window_seconds=_WINDOW_SECONDS))

    def new(self) -> list[dict[str, Any]]:
        """Return what the lines say that were recorded since the last call, all that was before this one."""
        self._looks += 1
        self.trail.record(_LOOK, {"look": self._looks})
        ends = time.monotonic() + PATIENCE
        # With its end: who reads while somebody writes may see the beginning of a line.
        while not re.search(rb'"look":%d\b.*\n' % self._looks, text := self._path.read_bytes()):
            assert time.monotonic() < ends
            time.sleep(0.002)
        lines = [json.loads(line) for line in text.splitlines()]
        fresh, self._read = lines[self._read : -1], len(lines)
        return fresh

    def facts(self) -> list[tuple[str, str, str]]:
        """Return fact, outcome and reason of what was recorded since the last call."""
        return [(line["fact"], line.get("outcome", ""), line.get("reason", "")) for line in self.new()]


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[ReadTrail]:
    """Give a trail in `audit.log` of the test's own folder."""
    read = ReadTrail(tmp_path / "audit.log")
    yield read
    read.trail.end()
