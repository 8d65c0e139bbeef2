"""Parts of the product with something wrong about them: another clock, few descriptors, a log that nobody reads.

Owns how such a part is started and stopped beside the others. Never touches a part that the row did not choose.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.game_day.people import host_of
from devstack.keeper import Keeper
from devstack.ports import free_port
from devstack.processes import Child, Program
from devstack.stack import Part, Stack, is_live

_SHIM: Final = """import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + {seconds}
time.time_ns = lambda: _time_ns() + {seconds} * 1_000_000_000
"""


def with_clock(
    program: Program, seconds: int, folder: Path, *, faketime: str | None = shutil.which("faketime")
) -> Program:
    """Return the same program, whose clock is so many seconds ahead; time that passes stays as it is.

    By `faketime` where it is installed, else by a `sitecustomize` that only this program finds, in `folder`.
    """
    environment = dict(program.environment)
    if faketime:
        environment |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        return replace(
            program,
            command=(faketime, "-f", f"{seconds:+d}s", *program.command),
            environment=environment,
        )
    (folder / "sitecustomize.py").write_text(_SHIM.format(seconds=seconds), encoding="utf-8")
    paths = filter(None, (str(folder), environment.get("PYTHONPATH", "")))
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return replace(program, environment=environment)


def with_descriptors(program: Program, soft: int, hard: int | None = None) -> Program:
    """Return the same program, which may open so many descriptors."""
    limits = f"ulimit -S -n {soft}" if hard is None else f"ulimit -n {min(soft, hard)}"
    return replace(program, command=("sh", "-c", f'{limits}; exec "$@"', "sh", *program.command))


@dataclass(frozen=True, slots=True)
class Gateway:
    """One more gateway of the same product."""

    child: Child
    port: int
    admin_port: int

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.child.pid is not None
        return self.child.pid


@contextmanager
def another_gateway(
    stack: Stack,
    *,
    settings: Mapping[str, str] | None = None,
    clock: int = 0,
    descriptors: tuple[int, int | None] | None = None,
    log_is_read: bool = True,
) -> Iterator[Gateway]:
    """Run a gateway with the settings of the product's own, on ports of its own, while the block runs."""
    port, admin_port = free_port(), free_port()
    with TemporaryDirectory() as folder, closing(Keeper()) as keeper:
        program = stack.parts["gateway"].child.program
        program = replace(
            program,
            name="another gateway",
            environment={
                **program.environment,
                "GATEWAY_PORT": str(port),
                "GATEWAY_ADMIN_PORT": str(admin_port),
                **(settings or {}),
            },
            log_file=Path(folder) / "gateway.log",
        )
        if clock:
            program = with_clock(program, clock, Path(folder))
        if descriptors:
            program = with_descriptors(program, *descriptors)
        nobody = None if log_is_read else _reader_that_never_reads(program.log_file)
        child = Child(program, keeper)
        waiting = Stack(
            {"another gateway": Part(child, lambda: is_live(port, host_of(stack)))},
            {"gateway": stack.gateway_url},
            None,
        )
        try:
            waiting.start()
            yield Gateway(child, port, admin_port)
        finally:
            child.stop(5)
            if nobody is not None:
                os.close(nobody)


def _reader_that_never_reads(place: Path) -> int:
    """Make a pipe of a name, and hold its reading end: what is written stays in it until it is full."""
    os.mkfifo(place)
    return os.open(place, os.O_RDWR)


def change_part(stack: Stack, name: str, program: Program) -> None:
    """Start a part anew as another program."""
    stack.stop(name)
    stack.parts[name].child.program = program
    stack.start(name)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        try:
            children = Path(f"/proc/{current}/task/{current}/children").read_text(encoding="ascii").split()
        except OSError:
            continue
        found += map(int, children)
        waiting += map(int, children)
    return found


def computing_seconds(pid: int) -> float:
    """Return how long a process has computed, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
