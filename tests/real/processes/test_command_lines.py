"""The command lines of every program: what it does not know it refuses, and it says which version it is."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from servicekit.version import VERSION
from tests.stage.sources import ROOT

PROGRAMS: Final = {
    "gateway": ("-m", "gateway"),
    "resource_api": ("-m", "resource_api"),
    "local_tenant": ("-m", "local_tenant"),
    "stepup": ("-m", "stepup"),
    "dev.py": (str(ROOT / "dev.py"),),
    "container_secrets": ("-m", "devstack.container_secrets"),
}
COMMANDS: Final = (
    ("dev.py", "doctor"),
    ("gateway", "doctor"),
    ("gateway", "end-sessions", "OID"),
    ("gateway", "serve"),
    ("resource_api", "doctor"),
    ("resource_api", "serve"),
    ("stepup", "dev"),
    ("stepup", "doctor"),
    ("stepup", "end-sessions", "OID"),
    ("stepup", "serve"),
)


def run(place: Path, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a program with nothing configured, where no `.env` lies."""
    return subprocess.run(
        [sys.executable, *PROGRAMS[program], *arguments],
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", [("nonsense", "nonsense"), ("--nonsense",)])
def test_an_argument_that_means_nothing_is_refused_with_2(
    tmp_path: Path, program: str, words: tuple[str, ...]
) -> None:
    ended = run(tmp_path, program, *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: ")
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_refuses_what_it_does_not_know_with_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = run(tmp_path, *words, "--nonsense")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "unrecognized arguments: --nonsense" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_option_cut_short_is_not_guessed(tmp_path: Path) -> None:
    assert run(tmp_path, "gateway", "doctor", "--js").returncode == 2
    assert run(tmp_path, "stepup", "dev", "--verb").returncode == 2
    assert run(tmp_path, "resource_api", "--vers").returncode == 2


def test_stepup_alone_starts_nothing_and_shows_its_commands(tmp_path: Path) -> None:
    ended = run(tmp_path, "stepup")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "{serve,end-sessions,doctor,dev}" in ended.stderr


@pytest.mark.parametrize("program", ["gateway", "resource_api", "local_tenant", "stepup", "dev.py"])
def test_F3_a_program_says_its_version_without_any_settings(tmp_path: Path, program: str) -> None:
    ended = run(tmp_path, program, "--version")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"stepup {VERSION}\n", "")


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_stepup_hands_the_gateway_s_commands_to_the_gateway(tmp_path: Path, command: str) -> None:
    ended = run(tmp_path, "stepup", command)

    assert ended.returncode == 2
    assert "GATEWAY_CLIENT_ID is missing" in ended.stderr
    assert ended.stderr == run(tmp_path, "gateway", command).stderr
