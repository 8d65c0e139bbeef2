import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.peers.cores import computing_seconds, family, pin
from benchmarks.peers.installed import NotInstalledError, program

LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux, which counts in /proc")
# A shell that has started another program, and tells its process id.
PARENT = "sleep 60 & echo $!; wait"


@pytest.fixture
def parent() -> Iterator[tuple[int, int]]:
    """Give the process ids of a program and of one that it has started."""
    with subprocess.Popen(["sh", "-c", PARENT], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        child = int(shell.stdout.readline())
        try:
            yield shell.pid, child
        finally:
            os.kill(child, 15)
            shell.kill()


@LINUX
def test_what_a_program_has_started_is_of_its_family(parent: tuple[int, int]) -> None:
    assert family(parent[0]) == list(parent)


@LINUX
def test_a_family_is_kept_on_one_core(parent: tuple[int, int]) -> None:
    core = min(os.sched_getaffinity(0))

    pin(parent[0], core)

    assert [os.sched_getaffinity(pid) for pid in parent] == [{core}, {core}]


@LINUX
def test_computing_is_counted_and_one_that_has_ended_is_none() -> None:
    before = computing_seconds(os.getpid())
    while computing_seconds(os.getpid()) == before:
        sum(range(10_000))
    with subprocess.Popen(["true"]) as ended:
        pass

    assert computing_seconds(ended.pid) == 0


def test_a_program_that_is_not_there_is_named_with_its_package() -> None:
    with pytest.raises(NotInstalledError, match=r"no-such-program is not installed \(Debian: a-package\)"):
        program("no-such-program", "a-package")
