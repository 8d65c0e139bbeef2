"""The wheel: what is in it, and that what it installs runs where no working copy is.

It is installed into an environment of its own, which has the dependencies of the one that runs these tests.
"""

import os
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from devstack.environment import is_setting
from devstack.ports import Ports
from servicekit.version import VERSION
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_ports
from tests.stage.sources import ROOT

PACKAGES: Final = ("devstack", "gateway", "local_tenant", "resource_api", "servicekit", "stepup")


def tracked(*folders: str) -> set[str]:
    """Return the files below folders of the working copy, without what running leaves behind."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def build(out: Path, *targets: str, source: Path = ROOT) -> None:
    """Build the wheel or the source archive of a directory, by the backend that pip would call."""
    subprocess.run(
        [
            *(sys.executable, "-m", "hatchling", "build", "-d", str(out)),
            *(word for target in targets for word in ("-t", target)),
        ],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel, its metadata left out."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        return {name: archive.read(name) for name in names}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archives")
    build(folder, "wheel", "sdist")
    return folder


@pytest.fixture(scope="module")
def wheel(archives: Path) -> Path:
    (file,) = archives.glob("*.whl")
    return file


def test_the_wheel_holds_the_packages_and_the_client_and_nothing_else(wheel: Path) -> None:
    client = {f"gateway/{name}" for name in tracked("spa")}

    assert set(contents(wheel)) == tracked(*PACKAGES) | client
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(contents(wheel))


def test_the_source_archive_makes_the_same_wheel(archives: Path, wheel: Path, tmp_path: Path) -> None:
    (archive,) = archives.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(tmp_path)], check=True)
    build(tmp_path / "again", "wheel", source=tmp_path / f"stepup-{VERSION}")
    (again,) = (tmp_path / "again").glob("*.whl")

    assert contents(again) == contents(wheel)


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel in it, and an empty directory to run in."""

    bin: Path
    directory: Path

    def environment(self, **given: str) -> dict[str, str]:
        """Return what a command of it runs with: nothing of the working copy, none of its settings."""
        others = {name: text for name, text in os.environ.items() if not is_setting(name)}
        return others | {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"} | given

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run one of its commands to the end."""
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            env=self.environment(),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("installed")
    venv.create(place / "venv")
    python = place / "venv" / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    install = ["pip", "install", "--quiet", "--no-index", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run([str(uv), *install], check=True, timeout=PATIENCE)
    (library,) = (place / "venv").glob("lib/python*/site-packages")
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (place / "empty").mkdir()
    return Installed(python.parent, place / "empty")


def test_the_installed_command_is_there_with_the_version_of_the_metadata(installed: Installed) -> None:
    code = "import importlib.metadata, gateway; print(importlib.metadata.version('stepup'), gateway.__file__)"
    version, file = installed.run("python", "-c", code).stdout.split()

    assert version == VERSION
    assert Path(file).is_relative_to(installed.bin.parent)
    assert installed.run("stepup", "--version").stdout == f"stepup {VERSION}\n"


def test_installed_modules_are_the_wheel_s_and_all_of_them_import(installed: Installed) -> None:
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in tracked(*PACKAGES)
        if name.endswith(".py")
    ]
    ended = installed.run(
        "python", "-c", f"import importlib\nfor name in {modules}: importlib.import_module(name)"
    )

    assert (ended.returncode, ended.stderr) == (0, "")


@dataclass(frozen=True, slots=True)
class Running:
    """A `stepup dev` that is ready."""

    process: "subprocess.Popen[bytes]"
    ports: Ports
    output: Path


@pytest.fixture(scope="module")
def running(installed: Installed) -> Iterator[Running]:
    ports, output = free_ports(), installed.directory.parent / "output.txt"
    settings = {
        "GATEWAY_PORT": str(ports.gateway),
        "GATEWAY_ADMIN_PORT": str(ports.admin),
        "RESOURCE_API_PORT": str(ports.api),
        "LOCAL_TENANT_PORT": str(ports.tenant),
    }
    with output.open("wb") as written:
        process = subprocess.Popen(
            [str(installed.bin / "stepup"), "dev"],
            env=installed.environment(**settings),
            cwd=installed.directory,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while "Ctrl-C stops it." not in output.read_text(encoding="utf-8"):
            assert process.poll() is None, output.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, output.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield Running(process, ports, output)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def fetched(port: int, path: str) -> bytes:
    """Return what one of its parts answers with 200, asked as a browser would that opened http://localhost."""
    with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=PATIENCE) as answer:
        assert answer.status == 200
        body: bytes = answer.read()
        return body


def test_the_installed_gateway_serves_the_client_s_files(running: Running) -> None:
    served = {name for name in tracked("spa") if not name.endswith(".d.ts")}  # types are for the checks alone
    for name in sorted(served):
        path = name.removeprefix("spa")
        assert fetched(running.ports.gateway, path) == (ROOT / name).read_bytes(), path
    assert b"<!doctype html>" in fetched(running.ports.gateway, "/").lower()


def test_the_installed_local_tenant_runs_with_its_people_and_its_style(running: Running) -> None:
    assert fetched(running.ports.tenant, "/health/live")
    assert fetched(running.ports.tenant, "/inbox")
    assert "ada@example.com      password Analytical-Engine-1843" in running.output.read_text(
        encoding="utf-8"
    )


def test_it_keeps_its_things_in_the_directory_in_which_it_was_started(
    running: Running, installed: Installed
) -> None:
    assert sorted(path.name for path in installed.directory.iterdir()) == [".local"]
    logs = {path.name for path in (installed.directory / ".local" / "logs").iterdir()}
    assert {"gateway.log", "api.log", "tenant.log", "valkey.log"} <= logs
    assert running.process.poll() is None
