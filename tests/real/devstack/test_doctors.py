"""`dev.py doctor`: both doctors with what the launcher fills in, whether a run is under way or not (F2)."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from devstack.console import Console
from devstack.doctors import examine
from devstack.ports import in_use
from devstack.run_command import Layout
from devstack.running import note_of_run, noted
from devstack.stack import Stack
from tests.stage.ports import free_ports
from tests.stage.sources import ROOT


def looked(
    directory: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool = True, **settings: str
) -> tuple[int, Any, str]:
    """Return the exit status, what was printed, and what was said beside it."""
    ports = free_ports()
    environment = {
        "PATH": os.environ["PATH"],
        "GATEWAY_PORT": str(ports.gateway),
        "GATEWAY_ADMIN_PORT": str(ports.admin),
        "RESOURCE_API_PORT": str(ports.api),
        "LOCAL_TENANT_PORT": str(ports.tenant),
        **settings,
    }
    beside = io.StringIO()
    status = examine(
        environment, Layout(packages=ROOT, directory=directory), Console(beside), as_json=as_json
    )
    assert not any(map(in_use, (ports.api, ports.tenant))), "something is left running"
    printed = capsys.readouterr().out
    return status, json.loads(printed) if as_json else printed, beside.getvalue()


def faults(found: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    """Return what is at fault, by part and check."""
    return [
        (part, one["check"]) for part, list_ in found.items() for one in list_ if one["status"] == "fault"
    ]


def test_F2_without_a_run_the_parts_are_there_for_the_time_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found, beside = looked(tmp_path, capsys)

    assert faults(found) == []
    assert status == 0
    assert found.keys() == {"gateway", "resource_api", "between"}
    checks = {one["check"]: one["status"] for one in found["resource_api"]}
    assert checks["scope"] == "ok", "the redirect URI is passed on"
    assert "Starting valkey, tenant, api" in beside


def test_F2_people_read_both_doctors_one_below_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, printed, _ = looked(tmp_path, capsys, as_json=False, RESOURCE_API_LOG_LEVEL="CHATTY")

    assert status == 2
    assert printed.index("── gateway ──") < printed.index("── resource API ──")
    assert "RESOURCE_API_LOG_LEVEL is 'CHATTY'" in printed
    assert "fault    resource API " in printed


def test_F2_of_a_run_that_is_under_way_its_own_parts_are_looked_at(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workdir = tmp_path / ".local"
    workdir.mkdir()
    told = {name: part.child.program.environment for name, part in stack.parts.items()}
    with noted(workdir, told):
        assert (workdir / "running.json").stat().st_mode & 0o777 == 0o600
        status, found, beside = looked(tmp_path, capsys)
        assert faults(found) == []
        stack.kill("api")
        broken, again, _ = looked(tmp_path, capsys)

    assert status == 0
    assert "the run that is under way" in beside
    (public_url,) = [one["detail"] for one in found["gateway"] if one["check"] == "public URL"]
    assert public_url.startswith(stack.gateway_url)
    assert (broken, faults(again)) == (1, [("gateway", "resource API")])
    assert note_of_run(workdir) is None


def test_a_note_of_a_run_that_was_killed_is_not_believed(tmp_path: Path) -> None:
    with noted(tmp_path, {"gateway": {"GATEWAY_PORT": "1", "HOME": "/"}}):
        assert note_of_run(tmp_path) == {"gateway": {"GATEWAY_PORT": "1"}}
        left = (tmp_path / "running.json").read_bytes()
    assert note_of_run(tmp_path) is None

    (tmp_path / "running.json").write_bytes(left)
    assert note_of_run(tmp_path) is None
