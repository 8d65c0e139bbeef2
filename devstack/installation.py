"""The virtual environment .venv and what is installed in it, from a lock file with hashes.

Owns .venv and its marker files. An installation that did not come to its end is thrown away by the next one, because
uv and pip take a half-written package for a whole one. Never upgrades and never resolves: the lock says everything.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.console import Console, LogFollower
from devstack.errors import LaunchError
from devstack.install_failure import InstallFailure
from devstack.installers import OPTIONAL_PACKAGE, Installer, pip, uv
from devstack.keeper import Keeper
from devstack.processes import Child, Program

_POLL_SECONDS = 0.1
_QUIET_SECONDS = 3.0
_ALMOST_NOTHING = 64_000


@dataclass(frozen=True, slots=True)
class Installation:
    """The environment of one working copy."""

    root: Path
    environment: Mapping[str, str]
    console: Console

    @property
    def directory(self) -> Path:
        """Where the environment lies."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.directory / "bin" / "python"

    @property
    def inside(self) -> bool:
        """Whether this process runs in it."""
        return Path(sys.prefix).resolve() == self.directory.resolve()

    def complete(self, lock: str) -> bool:
        """Whether this lock, as it is now, was installed for this Python, to the end."""
        try:
            return (
                self._marker(lock).read_text(encoding="utf-8") == self._stamp(lock) and self.python.exists()
            )
        except (FileNotFoundError, NotADirectoryError):
            return False

    def ensure(self, lock: str, *, fallback: str | None = None) -> None:
        """Install the lock unless that is done. Raises LaunchError with the reason when it can't be.

        `fallback` is the lock to take where the optional package does not exist for this computer.
        """
        if self.complete(lock):
            return
        with self._alone(), contextlib.closing(Keeper()) as keeper:
            if self.complete(lock):  # another run did it while this one waited
                return
            self._prepare(keeper)
            failure = self._by_uv_or_pip(keeper, lock, fallback)
            if failure:
                if not failure.wrote:
                    self._unfinished.unlink()  # nothing was touched, so there is nothing to make anew
                raise LaunchError(
                    f"The dependencies were not installed: {failure.sentence}\nAll of it: {self._log}"
                )
            self._marker(lock).write_text(self._stamp(lock), encoding="utf-8")
            self._unfinished.unlink()

    @property
    def _unfinished(self) -> Path:
        # Not inside .venv, which is emptied on the way.
        return self.root / ".local" / "installation-unfinished"

    @property
    def _log(self) -> Path:
        return self.root / ".local" / "logs" / "install.log"

    def _marker(self, lock: str) -> Path:
        return self.directory / f".stepup-{lock}"

    def _stamp(self, lock: str) -> str:
        digest = hashlib.sha256((self.root / lock).read_bytes()).hexdigest()
        return f"{sys.implementation.name} {platform.python_version()} {platform.machine()}\n{digest}\n"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one installation at a time; the lock goes with the process, so a killed one leaves none behind."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with (self.root / ".local" / "install.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.console.say("Another dev.py is installing; waiting for it.")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _prepare(self, keeper: Keeper) -> None:
        """Make sure of an environment of this Python, without pip; an unfinished or foreign one is made anew."""
        interrupted = self._unfinished.exists()
        self._unfinished.touch()
        if not interrupted and self._of_this_python():
            return
        self._require("venv")
        if os.path.lexists(self.directory) and not self.directory.is_dir():
            raise LaunchError(f"{self.directory} is no directory. Remove it and run this again.")
        if self.directory.exists():
            self.console.say("Making .venv anew: it is unfinished, or another Python's.")
        else:
            self.console.say("Making .venv (once; takes a few seconds).")
        command = (_base_python(), "-m", "venv", "--clear", "--without-pip", str(self.directory))
        if self._run(keeper, "venv", command):
            last = self._output("no reason given").splitlines()[-1]
            raise LaunchError(f"The environment .venv could not be made: {last}")

    def _require(self, module: str) -> None:
        """Raise LaunchError where this Python lacks a module that distributions put in a package of its own."""
        if importlib.util.find_spec(module) is None:
            short = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise LaunchError(
                f"This Python comes without {module}, so no environment can be made. "
                f"On Debian and Ubuntu: apt install python{short}-venv. Then run this again."
            )

    def _of_this_python(self) -> bool:
        try:
            lines = (self.directory / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return False
        facts = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
        version = facts.get("version") or facts.get("version_info")
        return version == platform.python_version() and self.python.exists()

    def _by_uv_or_pip(self, keeper: Keeper, lock: str, fallback: str | None) -> InstallFailure | None:
        """Install a lock file; what went wrong at last comes back, or None."""
        if fast := uv(self.python, self.environment):
            try:
                failure = self._with_fallback(keeper, fast, lock, fallback)
            except LaunchError as problem:  # a uv that cannot even be started
                failure = InstallFailure(str(problem))
            if failure is None or failure.final or failure.wrote:
                return failure
            self.console.say(f"uv did not install them: {failure.sentence} Trying pip.")
        if not list(self.directory.glob("lib/python*/site-packages/pip")):
            self._require("ensurepip")
            self._run(keeper, "ensurepip", (str(self.python), "-m", "ensurepip", "--default-pip"))
        return self._with_fallback(keeper, pip(self.python, self.environment), lock, fallback)

    def _with_fallback(
        self, keeper: Keeper, installer: Installer, lock: str, fallback: str | None
    ) -> InstallFailure | None:
        failure = self._install(keeper, installer, lock)
        if failure and fallback and (failure.absent or "").startswith(OPTIONAL_PACKAGE):
            self.console.say(f"There is no {OPTIONAL_PACKAGE} for this computer; going on without it.")
            failure = self._install(keeper, installer, fallback)
        return failure

    def _install(self, keeper: Keeper, installer: Installer, lock: str) -> InstallFailure | None:
        path = self.root / lock
        total = sum("==" in line for line in path.read_text(encoding="utf-8").splitlines())
        self.console.say(f"Installing the dependencies ({lock}) with {installer.name}.")
        failed = self._run(
            keeper,
            installer.name,
            (*installer.command, str(path)),
            environment=installer.environment,
            package_begun=installer.package_begun,
            total=total,
        )
        return installer.failure(self._output(f"{installer.name} ended")) if failed else None

    def _output(self, otherwise: str) -> str:
        """Return what a step that failed has written; on a full disk it could not even write that."""
        full = shutil.disk_usage(self.root).free < _ALMOST_NOTHING
        silent = "No space left on device" if full else otherwise
        return self._log.read_text(encoding="utf-8", errors="replace").strip() or silent

    def _run(
        self,
        keeper: Keeper,
        name: str,
        command: tuple[str, ...],
        *,
        environment: Mapping[str, str] | None = None,
        package_begun: Callable[[str], str | None] = lambda _line: None,
        total: int = 0,
    ) -> bool:
        """Run a step to its end, showing progress; True when it failed."""
        self._log.unlink(missing_ok=True)
        around = self.environment if environment is None else environment
        around = {key: value for key, value in around.items() if not key.startswith("PYTHON")}
        child = Child(Program(name, command, around, self.root, self._log), keeper)
        follower, begun, shown = LogFollower(self._log), 0, 0.0
        child.start()
        try:
            while child.running:
                time.sleep(_POLL_SECONDS)
                for package in filter(None, map(package_begun, follower.new_lines())):
                    begun += 1
                    if self.console.interactive or time.monotonic() - shown > _QUIET_SECONDS:
                        self.console.progress(f"  {begun:>3} of about {total}  {package}")
                        shown = time.monotonic()
        finally:
            child.stop(grace=5)
            self.console.end_progress()
        return child.exit_code != 0


def reexecute(python: Path, arguments: list[str], environment: Mapping[str, str]) -> None:
    """Become the environment's interpreter; does not return."""
    os.execve(python, [str(python), *arguments], dict(environment))  # noqa: S606 -- our own interpreter, no shell


def _base_python() -> str:
    """Find the interpreter outside every environment: one can't clear the environment that it runs from."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix) / "bin" / name
    return str(base) if base.exists() else shutil.which(name) or sys.executable
