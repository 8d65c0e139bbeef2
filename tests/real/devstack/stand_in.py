"""A working copy of dev.py and devstack/ with stand-ins for the three parts, to launch for real.

The stand-ins answer GET /health/live and do on request what a part may do to the launcher: end, hang, warn.
"""

import functools
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from devstack.embedded_valkey import server_binary
from devstack.environment import is_setting
from devstack.ports import Ports
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_ports

ROOT = Path(__file__).resolve().parents[3]
_PART = """
import json
import os
import signal
import socket
import sys
import time

PREFIX = {prefix!r}
behaviour = os.environ.get(PREFIX + "STAND_IN", "")
if behaviour == "refuse":
    sys.exit(PREFIX + "COLOUR is missing; give one, like blue")
if behaviour == "hang":
    time.sleep(3600)
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def answer(connection):
    if connection.recv(65536).startswith(b"GET /warn "):
        print(json.dumps({{"levelname": "INFO", "message": "all is calm"}}), flush=True)
        print(json.dumps({{"levelname": "WARNING", "message": "the store is slow", "seconds": 2}}), flush=True)
    body = json.dumps(sorted(name for name in os.environ)).encode()
    connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body))


# Without http.server, whose import costs more than all the rest of a stand-in.
with socket.create_server(("127.0.0.1", int(os.environ[PREFIX + "PORT"]))) as listener:
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                answer(connection)
            except OSError:  # whoever asked has gone
                pass
"""
_UV = """#!/bin/sh
while [ -e "$STAND_IN_UV_WAITS" ]; do sleep 0.05; done
exec "{real}" "$@"
"""
_PREFIXES = {"gateway": "GATEWAY_", "resource_api": "RESOURCE_API_", "local_tenant": "LOCAL_TENANT_"}
_PEOPLE = '[[people]]\nemail = "ada@example.com"\npassword = "Analytical-Engine-1843"\n'


@contextmanager
def _signals_of_a_terminal() -> Iterator[None]:
    """Let a child get Ctrl-C and a closed terminal, also where this test run was told to ignore them (`nohup`, `&`)."""
    ignored = [
        number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@dataclass(frozen=True, slots=True)
class Project:
    """A stand-in working copy and free ports for it."""

    root: Path
    ports: Ports
    launches: "list[Launch]" = field(default_factory=list)

    def launch(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "Launch":
        """Run dev.py in it, in a session of its own as a terminal would."""
        # Without what the run of these tests itself was given.
        surroundings = {
            name: value
            for name, value in os.environ.items()
            if not (is_setting(name) or name in {"CHROME_PATH", "PYTHONPYCACHEPREFIX"})
        }
        settings = {
            "GATEWAY_PORT": str(self.ports.gateway),
            "GATEWAY_ADMIN_PORT": str(self.ports.admin),
            "RESOURCE_API_PORT": str(self.ports.api),
            "LOCAL_TENANT_PORT": str(self.ports.tenant),
            "PATH": f"{self.root / 'bin'}:{_path_without_uv(self.root, surroundings['PATH'])}",
        }
        output_file = self.root / f"output-{len(self.launches)}.txt"
        output = output_file.open("wb")
        with _signals_of_a_terminal():
            process = subprocess.Popen(
                [sys.executable, str(self.root / "dev.py"), *arguments],
                env=surroundings | settings | dict(environment or {}),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        output.close()
        self.launches.append(Launch(process, output_file, str(self.root)))
        return self.launches[-1]

    def end(self) -> None:
        """End whatever a failed test has left behind."""
        for launch in self.launches:
            if launch.process.poll() is None:
                launch.process.kill()
                launch.process.wait()
                launch.left_running()


@dataclass(frozen=True, slots=True)
class Launch:
    """A running dev.py."""

    process: subprocess.Popen[bytes]
    output_file: Path
    mark: str

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.output_file.read_text(encoding="utf-8")

    def wait_for(self, words: str) -> None:
        """Wait until it says something."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.output:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"it never said {words!r}:\n{self.output}"
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Press Ctrl-C and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def press(self, number: signal.Signals) -> None:
        """Send a signal as a terminal does, to everybody in its foreground group."""
        os.killpg(self.process.pid, number)

    def ended(self) -> int:
        """Wait for the end; the exit code comes back."""
        return self.process.wait(timeout=PATIENCE)

    def left_running(self) -> list[str]:
        """List processes that belong to this working copy, waiting for them to be gone."""
        deadline = time.monotonic() + PATIENCE
        while (processes := self.running()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return processes

    def running(self) -> list[str]:
        """List processes whose command or directory is this working copy."""
        ours = (os.getpid(), self.process.pid)
        return [
            f"{pid} {command}"
            for pid, command, directory in _processes()
            if pid not in ours and (self.mark in command or self.mark in directory)
        ]

    def child(self, module: str) -> int:
        """Find the process id of a part."""
        for line in self.running():
            if line.endswith((f"-m {module}", f"/{module}")):
                return int(line.split()[0])
        raise AssertionError(f"no {module} among {self.running()}")


def _processes() -> Iterator[tuple[int, str, str]]:
    """Each living process with its command line and, where the system tells, its directory."""
    if not Path("/proc/self").exists():
        listed = subprocess.run(
            ["ps", "-axww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True
        )
        for line in listed.stdout.splitlines():
            pid, state, command = line.split(None, 2)
            if not state.startswith("Z"):
                yield int(pid), command, ""
        return
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile; a zombie has no directory
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            yield int(process.name), command, str((process / "cwd").readlink())


def _path_without_uv(root: Path, path: str) -> str:
    """Return a search path like this run's own on which there is no uv, whatever this computer has."""
    folders = []
    for number, folder in enumerate(map(Path, path.split(os.pathsep))):
        if not (folder / "uv").exists():
            folders.append(str(folder))
            continue
        others = root / "bin" / f"others-{number}"
        if not others.exists():
            others.mkdir()
            for program in folder.iterdir():
                if program.name != "uv":
                    (others / program.name).symlink_to(program)
        folders.append(str(others))
    return os.pathsep.join(folders)


@functools.cache
def _launcher() -> dict[str, bytes]:
    """Read the launcher's modules, and compile them once for all copies: that is a third of a first launch."""
    modules = {file.name: file.read_bytes() for file in (ROOT / "devstack").glob("*.py")}
    with tempfile.TemporaryDirectory() as folder:
        for name in [*modules]:
            compiled = Path(folder) / f"{Path(name).stem}.{sys.implementation.cache_tag}.pyc"
            # By the content's hash: a copy that a test spoils is compiled anew.
            by_hash = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(
                str(ROOT / "devstack" / name), str(compiled), doraise=True, invalidation_mode=by_hash
            )
            modules[f"__pycache__/{compiled.name}"] = compiled.read_bytes()
    return modules


def make_project(root: Path, *, uv: bool = True) -> Project:
    """Lay out a stand-in working copy, on a computer that has a uv or none; with uv it is installed sooner."""
    shutil.copy(ROOT / "dev.py", root)
    (root / "devstack" / "__pycache__").mkdir(parents=True)
    for name, content in _launcher().items():
        (root / "devstack" / name).write_bytes(content)
    for module, prefix in _PREFIXES.items():
        (root / module).mkdir()
        (root / module / "__main__.py").write_text(_PART.format(prefix=prefix))
    (root / "local_tenant" / "local_tenant.toml").write_text(_PEOPLE)
    for lock in ("requirements.lock", "requirements-local.lock", "requirements-dev.lock"):
        (root / lock).write_text("# nothing is needed\n")
    (root / "bin").mkdir()
    (root / "bin" / "valkey-server").symlink_to(server_binary(os.environ))
    project = Project(root, free_ports())
    if uv:
        add_uv(project)
    return project


def add_uv(project: Project) -> None:
    """Put a uv on its path, which waits while the file named in STAND_IN_UV_WAITS exists, for a look in between."""
    program = project.root / "bin" / "uv"
    program.write_text(_UV.format(real=Path(sys.executable).parent / "uv"))
    program.chmod(0o755)
