"""Working copies in which something is in the way: one sentence, a failing exit code, nothing left running."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.devstack.stand_in import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    copy = make_project(tmp_path.resolve())
    yield copy
    copy.end()


def _marker_is_a_directory(root: Path) -> None:
    (root / ".venv").mkdir()
    (root / ".venv" / ".stepup-requirements-local.lock").mkdir()


ODDITIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file where .local should be": (lambda root: (root / ".local").touch(), ".local"),
    "a file where .venv should be": (lambda root: (root / ".venv").touch(), ".venv is no directory"),
    "a link to nowhere": (
        lambda root: (root / ".venv").symlink_to("/nowhere/at/all"),
        ".venv is no directory",
    ),
    "a directory where a file should be": (_marker_is_a_directory, "requirements-local.lock can't be used"),
}


@pytest.mark.parametrize("lay, words", ODDITIES.values(), ids=ODDITIES)
def test_what_is_in_the_way_is_named_in_one_sentence(
    project: Project, lay: Callable[[Path], object], words: str
) -> None:
    lay(project.root)
    launch = project.launch()

    assert launch.ended() == 1
    assert words in launch.output
    assert len(launch.output.splitlines()) == 1
    assert launch.left_running() == []


def test_ctrl_c_in_the_first_moment_is_no_traceback(project: Project) -> None:
    (project.root / "devstack" / "command.py").write_text("raise KeyboardInterrupt\n")
    launch = project.launch()

    assert launch.ended() == 130
    assert launch.output == "Interrupted. Nothing was started.\n"


def test_whoever_reads_along_may_leave(project: Project) -> None:
    """`dev.py | head -1`: what was started is stopped, and nobody is shown a traceback."""
    first = project.launch()
    first.wait_for("Ctrl-C stops it.")
    assert first.interrupt() == 0
    reading, writing = os.pipe()
    os.close(reading)
    settings = {
        "GATEWAY_PORT": str(project.ports.gateway),
        "GATEWAY_ADMIN_PORT": str(project.ports.admin),
        "RESOURCE_API_PORT": str(project.ports.api),
        "LOCAL_TENANT_PORT": str(project.ports.tenant),
    }
    ended = subprocess.run(
        [sys.executable, str(project.root / "dev.py")],
        env=os.environ | settings,
        cwd=project.root,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (1, b"")
    assert first.left_running() == []
