"""Packages that a benchmark needs and the product does not: each set in a folder of its own, from locked versions.

Python's lie below `.local/benchmarks` of this working copy, Node.js's in `node_modules` beside their lock file. An
installation is repeated only after its lock file changed. Raises NotInstalledError with the reason where a set can't be
had here, which is no fault of the benchmark.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.stage.npm_packages import NotToBeHadError, node_wheel, node_with_packages

FOLDER: Final = Path(__file__).resolve().parents[2] / ".local" / "benchmarks"
_PATIENCE_SECONDS: Final = 300


class NotInstalledError(Exception):
    """Something can't be had on this computer; the message is the reason, for the table."""


def python_packages(name: str, lock: Path) -> Path:
    """Return the `bin` folder of a virtual environment with what a lock file with hashes names."""
    folder = FOLDER / name
    if _stands(folder, lock):
        return folder / "bin"
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], FOLDER.parent.parent)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    _run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(lock.resolve())], folder
    )
    shutil.copyfile(lock, _mark(folder))
    return folder / "bin"


def node_packages(folder: Path) -> str:
    """Return Node.js, with what `package-lock.json` of a folder names installed in its `node_modules`."""
    try:
        return node_with_packages(folder, wheel=node_wheel())
    except NotToBeHadError as why:
        raise NotInstalledError(str(why)) from None


def program(name: str, package: str) -> str:
    """Return where a program of the operating system lies; `package` is what Debian calls its package."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotInstalledError(f"{name} is not installed (Debian: {package})")
    return found


def _stands(folder: Path, lock: Path) -> bool:
    return _mark(folder).exists() and _mark(folder).read_bytes() == lock.read_bytes()


def _mark(folder: Path) -> Path:
    return folder / ".installed-from"


def _run(command: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(  # noqa: S603 -- an installation of what our own lock files name
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS
        )
    except subprocess.CalledProcessError as failed:
        words = " ".join(failed.stderr.split())[-300:]
        raise NotInstalledError(f"{Path(command[0]).name} could not install it: {words}") from None
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"its installation took more than {_PATIENCE_SECONDS} s") from None
