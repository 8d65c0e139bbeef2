"""The trail of a process (A6, U37): written beside the work, whatever becomes of where it is written."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from servicekit.audit.folding import Folding
from servicekit.audit.target import FileTarget, StreamTarget
from servicekit.audit.trail import Trail
from tests.stage.patience import PATIENCE
from tests.stage.sources import ROOT
from tests.stage.trails import FORGED, KEYS, SIGN_IN, judged, trail_to


def until(is_so: Callable[[], bool]) -> None:
    """Wait for the trail's thread; fails where it never comes."""
    ends = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.005)


def members(path: Path) -> list[dict[str, Any]]:
    """Return what the lines of a file say."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_A6_U37_a_line_says_what_when_and_by_whom_in_the_fields_words(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trail = trail_to(path, now=lambda: 1_795_000_000.1234)
    trail.record(SIGN_IN, {"outcome": "success", "person": "ada", "reason": "", "fields": []})
    trail.end()

    begin, line, end = members(path)
    assert (begin["event"], end["event"]) == ("sys_startup", "sys_shutdown")
    assert line["stream"] == "audit"
    assert (line["event"], line["fact"], line["outcome"]) == ("authn_login_success", "sign-in", "success")
    assert line["at"] == "2026-11-18T11:06:40.123Z"
    assert (line["service"], line["process"], line["person"]) == ("gateway", os.getpid(), "ada")
    assert not {"reason", "fields"} & line.keys()


def test_A6_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trail_to(path).end()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_A6_facts_about_nobody_are_counted_after_the_first_and_persons_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trail = trail_to(path, folding=Folding(first=3))
    for number in range(1000):
        place = {
            "network": f"10.0.{number % 2}.0/24",
            "address": f"10.0.{number % 2}.1",
            "reference": number,
        }
        trail.record(FORGED, place, kind="cross-origin")
        if number % 100 == 0:
            trail.record(SIGN_IN, {"person": "ada"})
    trail.end()

    lines = members(path)
    forged = [line for line in lines if line["fact"] == FORGED.name]
    assert len([line for line in lines if line["fact"] == SIGN_IN.name]) == 10
    assert [line.get("count") for line in forged] == [None, None, None, 997]
    assert forged[-1]["networks"] == {"10.0.1.0/24": 499, "10.0.0.0/24": 498}
    assert "address" not in forged[-1]
    assert judged(path.read_bytes().splitlines(keepends=True)).faults == []


class CountedTarget(FileTarget):
    """A file, and how many pieces were written into it."""

    pieces = 0

    def write(self, lines: bytes) -> int:
        self.pieces += 1
        return super().write(lines)


def test_A6_facts_that_come_one_upon_the_other_are_written_in_one_piece(tmp_path: Path) -> None:
    target = CountedTarget(tmp_path / "audit.log")
    trail = Trail(target, KEYS, service="gateway")
    ends = time.monotonic() + PATIENCE
    pieces = 0
    while pieces != 1:  # again, as a busy computer may let more time go by between two facts
        assert time.monotonic() < ends
        trail.record(SIGN_IN, {"person": "ada"})
        until(lambda: trail.written == len(members(tmp_path / "audit.log")) > 1)
        before, lines = target.pieces, trail.written
        for _ in range(3):
            trail.record(SIGN_IN, {"person": "ada"})
            time.sleep(0.003)
        until(lambda: trail.written == lines + 3)  # noqa: B023 - waited for at once
        pieces = target.pieces - before
    trail.end()

    assert judged((tmp_path / "audit.log").read_bytes().splitlines(keepends=True)).faults == []


def test_A6_a_count_is_written_when_its_minute_is_over() -> None:
    now = [0.0]
    folding = Folding(now=lambda: now[0], first=1, window_seconds=60)
    assert [folding.takes("a", {"fact": "a"}) for _ in range(3)] == [False, True, True]
    assert folding.due() == []
    now[0] = 60.0

    assert [line["count"] for line in folding.due()] == [2]
    assert not folding.takes("a", {"fact": "a"})


def test_A6_kinds_without_an_end_are_counted_as_one() -> None:
    folding = Folding(first=1)
    for number in range(5_000):
        folding.takes(f"kind {number}", {"fact": "a"})

    assert sum(line["count"] for line in folding.due(at_the_end=True)) == 5_000 - 1_001


def test_A6_a_disk_that_is_full_holds_nobody_up_and_what_waited_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    target = Full(path)
    trail = Trail(target, KEYS, service="gateway", most_waiting=100)
    until(lambda: trail.written >= 1)
    target.is_full = True
    trail.record(SIGN_IN, {"reference": "first"})
    until(lambda: not trail.is_written)
    for number in range(150):
        trail.record(SIGN_IN, {"reference": f"{number}"})
    lost = trail.lost
    assert lost >= 49

    target.is_full = False
    until(lambda: trail.is_written)
    trail.end()

    lines = members(path)
    assert [line["count"] for line in lines if line["fact"] == "trail-lost"] == [lost]
    assert len([line for line in lines if line["fact"] == SIGN_IN.name]) == 151 - lost
    assert judged(path.read_bytes().splitlines(keepends=True)).faults == []


class Full(FileTarget):
    """A file on a disk that is full at times, as the system says it."""

    is_full = False

    def write(self, lines: bytes) -> int:
        """Write, or fail as a full disk does."""
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(lines)


def test_A6_a_line_that_was_cut_short_by_a_full_disk_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    trail = trail_to(path)
    try:
        until(lambda: trail.written >= 1)
        # The system takes a part of the next line, and then nothing: that is what a disk does that is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, before[1]))
        trail.record(SIGN_IN, {"reference": "cut"})
        until(lambda: not trail.is_written)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    until(lambda: trail.is_written)
    trail.end()

    judgement = judged(path.read_bytes().splitlines(keepends=True))
    assert judgement.faults == []
    assert (judgement.lines, "100 bytes" in judgement.notices[0]) == (3, True)


def test_A6_a_reader_that_has_stopped_holds_nobody_up() -> None:
    reading, writing = os.pipe()
    trail = Trail(StreamTarget(writing), KEYS, service="gateway", most_waiting=50)
    began = time.thread_time()
    for _ in range(2_000):
        trail.record(SIGN_IN, {"user_agent": "x" * 150})
    assert time.thread_time() - began < PATIENCE
    assert trail.lost > 0

    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.extend(iter(lambda: os.read(reading, 65_536), b"")))
    reader.start()
    trail.end(PATIENCE)
    os.close(writing)
    reader.join(PATIENCE)
    os.close(reading)

    judgement = judged([b"".join(received)])
    assert (judgement.faults, judgement.chains) == ([], 1)
    lines = [json.loads(line) for line in b"".join(received).splitlines()]
    assert len([line for line in lines if line["fact"] == SIGN_IN.name]) == 2_000 - trail.lost
    assert sum(line["count"] for line in lines if line["fact"] == "trail-lost") == trail.lost


def test_A6_a_reader_that_is_gone_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    trail = Trail(StreamTarget(writing), KEYS, service="gateway")

    trail.record(SIGN_IN, {})
    until(lambda: not trail.is_written)
    trail.end(0.1)
    os.close(writing)


def test_A6_a_file_that_a_rotation_truncated_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trail = trail_to(path)
    trail.record(SIGN_IN, {})
    until(lambda: trail.written >= 2)
    copy = path.read_bytes()
    os.truncate(path, 0)
    trail.record(SIGN_IN, {})
    trail.end()

    assert "trail-truncated" in [line["fact"] for line in members(path)]
    assert judged(copy.splitlines(keepends=True), path.read_bytes().splitlines(keepends=True)).faults == []


def test_A6_a_device_such_as_dev_null_takes_a_trail() -> None:
    trail = trail_to(Path("/dev/null"))
    trail.record(SIGN_IN, {})
    trail.end()

    assert trail.is_written


def test_A6_no_line_is_longer_than_a_pipe_takes_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trail = trail_to(path)
    trail.record(SIGN_IN, {"user_agent": "x" * 9_000, "fields": ["f" * 100] * 100, "person": "ada"})
    trail.end()

    assert max(map(len, path.read_bytes().splitlines(keepends=True))) <= 4_096
    assert members(path)[1]["person"] == "ada"


_WRITES_FOR_EVER = """
import sys
from pathlib import Path
from tests.stage.trails import SIGN_IN, trail_to
trail = trail_to(Path(sys.argv[1]))
for number in range(1_000_000_000):
    trail.record(SIGN_IN, {"reference": str(number), "user_agent": "x" * 150})
"""


def test_A6_a_process_that_is_killed_leaves_a_trail_that_others_go_on_with(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _WRITES_FOR_EVER, str(path)], cwd=ROOT)
        size = path.stat().st_size if path.exists() else 0
        until(lambda size=size: path.exists() and path.stat().st_size > size + 100_000)  # type: ignore[misc]
        process.kill()
        process.wait()
    trail_to(path).end()

    judgement = judged(path.read_bytes().splitlines(keepends=True))

    assert (judgement.faults, judgement.chains) == ([], 4)
    assert len([notice for notice in judgement.notices if "is open after" in notice]) == 3
