"""The command lines of every program: what it does not know it refuses, and it says which version it is.

Most of it is asked of a program's `main`, in this process: a second of computing goes into the start of a service.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from devstack.environment import is_setting
from gateway.__main__ import main as gateway
from local_tenant.__main__ import main as local_tenant
from resource_api.__main__ import main as resource_api
from servicekit.version import VERSION
from stepup.__main__ import main as stepup
from tests.stage.patience import PATIENCE
from tests.stage.sources import ROOT

PROGRAMS: Final = {
    "gateway": ("-m", "gateway"),
    "resource_api": ("-m", "resource_api"),
    "local_tenant": ("-m", "local_tenant"),
    "stepup": ("-m", "stepup"),
    "dev.py": (str(ROOT / "dev.py"),),
    "container_secrets": ("-m", "devstack.container_secrets"),
}
# The launcher's own would take over the signals of whoever calls it, and is soon started.
MAINS: Final[dict[str, Callable[[list[str]], int]]] = {
    "gateway": gateway,
    "resource_api": resource_api,
    "local_tenant": local_tenant,
    "stepup": stepup,
}
COMMANDS: Final = (
    ("dev.py", "doctor"),
    ("gateway", "audit", "verify", "FILE"),
    ("gateway", "doctor"),
    ("gateway", "end-sessions", "OID"),
    ("gateway", "serve"),
    ("resource_api", "audit", "verify", "FILE"),
    ("resource_api", "doctor"),
    ("resource_api", "serve"),
    ("stepup", "audit", "verify", "FILE"),
    ("stepup", "dev"),
    ("stepup", "doctor"),
    ("stepup", "end-sessions", "OID"),
    ("stepup", "serve"),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program said and how it ended."""

    returncode: int
    stdout: str
    stderr: str


Ask = Callable[..., Ended]


def as_process(place: Path, program: str, *arguments: str) -> Ended:
    """Run a program with nothing configured, where no `.env` lies."""
    compiled = {name: text for name, text in os.environ.items() if name == "PYTHONPYCACHEPREFIX"}
    ended = subprocess.run(
        [sys.executable, *PROGRAMS[program], *arguments],
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, **compiled},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Give what runs a program with nothing configured, where no `.env` lies, in this process where that can be."""
    monkeypatch.chdir(tmp_path)
    for name in filter(is_setting, [*os.environ]):
        monkeypatch.delenv(name)

    def ask(program: str, *arguments: str) -> Ended:
        if program not in MAINS:
            return as_process(tmp_path, program, *arguments)
        try:
            status = MAINS[program]([*arguments])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        return Ended(status, *capsys.readouterr())

    return ask


@pytest.mark.parametrize("program", MAINS)
def test_as_a_process_each_refuses_what_it_does_not_know_with_2(tmp_path: Path, program: str) -> None:
    ended = as_process(tmp_path, program, "--nonsense")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: ")
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", [("nonsense", "nonsense"), ("--nonsense",)])
def test_an_argument_that_means_nothing_is_refused_with_2(
    tmp_path: Path, ask: Ask, program: str, words: tuple[str, ...]
) -> None:
    ended = ask(program, *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: ")
    assert list(tmp_path.iterdir()) == [], "nothing was begun"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_refuses_what_it_does_not_know_with_2(
    tmp_path: Path, ask: Ask, words: tuple[str, ...]
) -> None:
    ended = ask(*words, "--nonsense")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "unrecognized arguments: --nonsense" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_option_cut_short_is_not_guessed(ask: Ask) -> None:
    assert ask("gateway", "doctor", "--js").returncode == 2
    assert ask("stepup", "dev", "--verb").returncode == 2
    assert ask("resource_api", "--vers").returncode == 2


def test_stepup_alone_starts_nothing_and_shows_its_commands(ask: Ask) -> None:
    ended = ask("stepup")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "{serve,end-sessions,doctor,audit,dev}" in ended.stderr


@pytest.mark.parametrize("program", ["gateway", "resource_api", "local_tenant", "stepup", "dev.py"])
def test_F3_a_program_says_its_version_without_any_settings(ask: Ask, program: str) -> None:
    assert ask(program, "--version") == Ended(0, f"stepup {VERSION}\n", "")


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_stepup_hands_the_gateway_s_commands_to_the_gateway(ask: Ask, command: str) -> None:
    ended = ask("stepup", command)

    assert ended.returncode == 2
    assert "GATEWAY_CLIENT_ID is missing" in ended.stderr
    assert ended.stderr == ask("gateway", command).stderr
