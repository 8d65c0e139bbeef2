"""Child processes: each in a process group of its own, with its output in a file.

Owns starting, signalling and reaping one program. Never decides whether a program is healthy or what its end means.
A file instead of a pipe for the output: nothing blocks when nobody reads, and the last words are there after a crash.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from devstack.errors import LaunchError
from devstack.interruption import deferred
from devstack.keeper import Keeper

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: everything a child process is made from."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log_file: Path
    # Given on standard input, for secrets that a command line would show to every user of this computer.
    standard_input: str = ""


class Child:
    """One program, running or ended; may be started again after it ended."""

    def __init__(self, program: Program, keeper: Keeper) -> None:
        self.program = program
        self._keeper = keeper
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The process id, or None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or before it ran."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it. Raises LaunchError when the program cannot be run at all."""
        self.program.log_file.parent.mkdir(parents=True, exist_ok=True)
        with deferred(), self.program.log_file.open("ab") as log:
            self._process = _spawned(self.program, log)
            self._keeper.watch(self._process.pid)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended already; its exit code tells more
                self._process.stdin.write(self.program.standard_input.encode())
                self._process.stdin.close()

    def terminate(self) -> None:
        """Ask the whole group to end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group at once (SIGKILL) and reap it."""
        self._signal(signal.SIGKILL)
        self._reap()

    def wait(self, grace: float) -> bool:
        """Give it time to end by itself, kill what is left then; True when no killing was needed."""
        if self._process is None:
            return True
        deadline = time.monotonic() + grace
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        in_time = self._process.poll() is not None
        self._signal(signal.SIGKILL)  # also reaches workers that outlived their parent
        self._reap()
        return in_time

    def stop(self, grace: float) -> bool:
        """Terminate and wait; True when it ended by itself."""
        self.terminate()
        return self.wait(grace)

    def log(self) -> str:
        """Everything it has written so far."""
        try:
            return self.program.log_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def ending(self) -> str:
        """How it ended, as a piece of a sentence."""
        code = self.exit_code
        if code is None:
            return "is still running"
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by {signal.Signals(-code).name}"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: "not permitted" for zombies
            os.killpg(self._process.pid, number)

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._keeper.forget(self._process.pid)


def _spawned(program: Program, log: BinaryIO) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            program.command,
            env=dict(program.environment),
            cwd=program.directory,
            stdin=subprocess.PIPE if program.standard_input else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    except OSError as problem:
        raise LaunchError(f"{program.command[0]} could not be started: {problem.strerror}.") from problem
