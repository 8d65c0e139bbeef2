"""Where the certified provider can't be run, that is said, and in CI it is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.interop.packages import NotToBeHadError, node_with_packages

HERE = Path(__file__).parent


def program(folder: Path, name: str, script: str) -> None:
    """Put a shell script on the path that is the folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "interop"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "node, npm, why",
    [
        ("", "exit 0", "Node.js is not installed"),
        ("echo v20.1.0", "", "comes without npm"),
        ("echo v18.20.0", "exit 0", "Node.js 20 or newer is needed, and 18.20.0 is installed"),
        ("echo v20.1.0", "echo 'the registry is away' >&2; exit 1", "npm ci failed: the registry is away"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, folder: Path, node: str, npm: str, why: str) -> None:
    for name, script in (("node", node), ("npm", npm)):
        if script:
            program(tmp_path, name, script)
    with pytest.raises(NotToBeHadError, match=why):
        node_with_packages(folder, str(tmp_path))


def test_packages_are_installed_once_for_each_lock_file(tmp_path: Path, folder: Path) -> None:
    program(tmp_path, "node", "echo v22.0.0")
    program(tmp_path, "npm", "echo installed >> count")
    for lock in ("{}", "{}", '{"name": "changed"}'):
        (folder / "package-lock.json").write_text(lock, encoding="utf-8")
        assert node_with_packages(folder, str(tmp_path)) == str(tmp_path / "node")
    assert (folder / "count").read_text(encoding="utf-8").split() == ["installed"] * 2


@pytest.mark.parametrize("ci, status", [("", 0), ("true", 1)])
def test_a_run_without_node_says_so_at_its_end_and_fails_in_ci(tmp_path: Path, ci: str, status: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "reads_their_profile"]
    done = subprocess.run(
        [*command, str(HERE / "test_oidc_provider.py")],
        cwd=HERE.parents[2],
        env={**os.environ, "PATH": str(tmp_path), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert "NOT RUN: tests/interop" in done.stdout
    assert "Node.js is not installed" in done.stdout
