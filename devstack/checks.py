"""`python3 dev.py test`: lint, types and every test, as the last word on whether the product is whole.

Owns the list of checks. With arguments only pytest runs, and gets them; `unit` in front of them stands for the tests
that need no server of their own and no browser. Without arguments several workers share the tests. Never hides a
check's output.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack.browser_install import ensure_chromium
from devstack.console import Console
from devstack.errors import StopRequested
from devstack.front_proxies import ensure_front_proxies
from devstack.other_browsers import ensure_webkit
from devstack.tls_redis import ensure_tls_server

_CLEAN_UP_SECONDS = 30
UNIT = "unit"
# Three on two cores: the tests wait about as much as they compute. A file is dealt whole, in the tests' own order.
# A worker that dies ends the run: xdist 3.8 would wait for ever for the rest of the file that it was dealt.
WORKERS = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart=0")
# Where the tests' many processes find our code compiled, whether or not a person wants it beside the sources: compiling
# it anew is a third of the time in which a worker finds its tests.
_COMPILED = Path(".local") / "compiled"

# pytest comes last, so that its summary is what a person reads at the end.
CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lint", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("types", ("mypy",)),
)


def check(arguments: list[str], environment: Mapping[str, str], root: Path, console: Console) -> int:
    """Run all the checks and return pytest's exit code, or 1 for another's.

    Raises LaunchError without a browser, unless only the unit tests are wanted, which need none.
    """
    if arguments[:1] == [UNIT]:
        return _tests(["tests/unit", *(arguments[1:] or WORKERS)], environment, root, console)
    chromium = ensure_chromium(environment, console)
    ensure_tls_server(environment, console)
    ensure_front_proxies(environment, console)
    ensure_webkit(environment, console)
    settings = dict(environment) | {"CHROME_PATH": chromium}
    if arguments:
        return _tests(arguments, settings, root, console)
    failures: list[str] = []
    with _compiling(settings, root) as compiled:
        for name, (module, *rest) in CHECKS:
            if run_step(name, (sys.executable, "-m", module, *rest), settings, root, console):
                failures.append(name)
        compiled.wait()
    code = _tests(WORKERS, settings, root, console)
    if failures:
        console.say(f"Failed before the tests: {', '.join(failures)} (see above).")
    return code or (1 if failures else 0)


def _tests(arguments: Sequence[str], environment: Mapping[str, str], root: Path, console: Console) -> int:
    command = (sys.executable, "-m", "pytest", *arguments)
    return run_step("tests", command, _sharing(environment, root), root, console)


def _sharing(environment: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return the environment of processes that share what is compiled."""
    settings = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return settings | {"PYTHONPYCACHEPREFIX": str(root / _COMPILED)}


@contextmanager
def _compiling(environment: Mapping[str, str], root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Compile the tests beside the checks, which have one core busy: else each worker of a first run does it anew.

    What is wrong with a test is told by the run itself.
    """
    process = subprocess.Popen(
        (sys.executable, "-m", "pytest", "--collect-only", "--quiet"),
        env=_sharing(environment, root),
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def run_step(
    name: str, command: tuple[str, ...], environment: Mapping[str, str], root: Path, console: Console
) -> int:
    """Run a program in the foreground, say how it ended, and return its exit code; Ctrl-C is its own as well."""
    console.say(f"── {name}: {' '.join(command[2:])}")
    began = time.monotonic()
    # In the terminal's foreground group, so that pytest may ask (--pdb) and hears Ctrl-C itself.
    process = subprocess.Popen(command, env=dict(environment), cwd=root)
    try:
        code = process.wait()
    except StopRequested as wish:
        _end(process, wish.number)
        raise
    if name != "tests":  # pytest's own summary is the better last line
        console.say(f"── {name}: {'failed' if code else 'fine'} ({time.monotonic() - began:.0f} s)")
    return code


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    """Let a check that heard Ctrl-C clean up; anything else is passed on."""
    if number != signal.SIGINT:
        process.send_signal(number)
    try:
        process.wait(_CLEAN_UP_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
