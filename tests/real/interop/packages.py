"""Node.js and the packages of the lock file, and what becomes of the tests where they can't be had.

Installs into this folder only, and only what package-lock.json names. Where that fails, the tests are not run: at a
desk they are skipped, in CI (the variable CI is set) they fail, and in both the run's last lines say so.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import pytest

OLDEST_NODE: Final = 20
_PATIENCE_SECONDS: Final = 240
NOT_RUN: list[str] = []
"""Why the tests were not run, for the end of the run; empty when they were."""


class NotToBeHadError(Exception):
    """The provider can't be run here, and why."""


def node_with_packages(folder: Path, path: str | None = None) -> str:
    """Return the Node.js program, with what ``folder``'s lock file names installed. Raises NotToBeHadError.

    Programs are looked for on ``path``, or on PATH. What npm has in its cache is not downloaded again; an
    installation is repeated only after the lock file changed.
    """
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        raise NotToBeHadError("Node.js is not installed, or comes without npm")
    told = _run([node, "--version"], folder).removeprefix("v")
    if int(told.split(".")[0]) < OLDEST_NODE:
        raise NotToBeHadError(f"Node.js {OLDEST_NODE} or newer is needed, and {told} is installed")
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed-from"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        patiently = ["--prefer-offline", "--fetch-retries=4"]
        _run([npm, "ci", *patiently, "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        shutil.copyfile(lock, installed)
    return node


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS
        )
    except subprocess.CalledProcessError as failed:
        said = failed.stderr.strip()[-300:]
        raise NotToBeHadError(f"{Path(command[0]).name} {command[1]} failed: {said}") from None
    except subprocess.TimeoutExpired:
        raise NotToBeHadError(
            f"{Path(command[0]).name} {command[1]} took more than {_PATIENCE_SECONDS} s"
        ) from None
    return done.stdout.strip()


def leave_out(reason: str, environment: Mapping[str, str]) -> NoReturn:
    """End the test: skipped at a desk, failed in CI, where nobody reads what was skipped. Remembers the reason."""
    if reason not in NOT_RUN:
        NOT_RUN.append(reason)
    if environment.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(f"must run in CI, and can't: {reason}", pytrace=False)
    pytest.skip(reason)
