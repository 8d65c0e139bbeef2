"""What runs elsewhere than at a desk runs what there is: the workflow, the hooks, the command of CI.

Read as text, for no YAML parser is among our dependencies: every command stands on a line of its own.
"""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Final

import pytest

from devstack.checks import CHECKS, UNIT
from supply_chain.locks import NPM
from tests.stage.sources import ROOT

WORKFLOW: Final = (ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")
COMMANDS: Final = re.findall(r"^ +- run: (.+)$", WORKFLOW, re.MULTILINE)
HOOKS: Final = re.findall(
    r"^ +entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"), re.MULTILINE
)
TESTS: Final = {f"tests/{path.parent.name}" for path in (ROOT / "tests").glob("*/__init__.py")} - {
    "tests/stage"
}


def jobs() -> dict[str, str]:
    """Return the jobs by name."""
    pieces = re.split(r"^  ([a-z]+):$", WORKFLOW.partition("\njobs:\n")[2], flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def folders_asked_for() -> list[str]:
    """Return the folders that `dev.py test` is asked to run."""
    folders = [
        command.removeprefix("python3 dev.py test ") for command in COMMANDS if " dev.py test " in command
    ]
    return [f"tests/{UNIT}" if one == UNIT else one for one in folders]


def test_every_check_of_the_test_command_runs() -> None:
    for _, words in CHECKS:
        assert f"python3 -m {' '.join(words)}" in COMMANDS


def test_every_folder_of_tests_runs_once_and_each_of_them_is_there() -> None:
    assert sorted(folders_asked_for()) == sorted(TESTS)
    assert len(TESTS) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_only_files_that_are_there(command: str) -> None:
    words = shlex.split(command)
    files = [word for word in words if re.search(r"\.(py|lock|yml|toml)$|^tests/", word)]

    assert [file for file in files if not (ROOT / file).exists()] == []


def test_images_are_built_that_the_dockerfile_has() -> None:
    stages = set(
        re.findall(r"^FROM \S+ AS ([\w-]+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    )
    built = {
        match[1]
        for command in COMMANDS
        if (match := re.fullmatch(r"docker build --target (\S+) \.", command))
    }

    assert built == stages - {"packages", "runtime"}, "all but those that others are made from"


def test_tests_run_with_every_python_that_is_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))

    assert re.findall(r'"(3\.\d+)"', jobs()["tests"]) == promised
    assert project["requires-python"] == f">={promised[0]}"


def test_foreign_actions_are_pinned_and_may_write_nothing() -> None:
    used = re.findall(r"uses: (\S+)", WORKFLOW)

    assert used
    assert [one for one in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", one)] == []
    assert WORKFLOW.count("persist-credentials: false") == len(jobs())
    assert re.findall(r"^permissions:\n((?:  .+\n)+)", WORKFLOW, re.MULTILINE) == ["  contents: read\n"]
    assert WORKFLOW.count("timeout-minutes:") == len(jobs())


def test_A7_S58_whatever_is_installed_is_held_to_a_hash_or_was_built_here() -> None:
    installs = [command for command in COMMANDS if re.search(r"pip (install|wheel)\b", command)]

    assert len(installs) > 4
    for command in installs:
        assert re.search(r"--require-hashes|--no-index|--no-build-isolation", command), command
        assert "--no-deps" in command, command


def test_A7_S58_what_comes_from_others_is_asked_about_and_looked_through() -> None:
    runs = jobs()

    assert "python3 -m supply_chain audit" in COMMANDS
    assert {"python3 -m supply_chain secrets --history", "python3 -m supply_chain licences"} <= set(COMMANDS)
    assert any(command.startswith("python3 -m supply_chain bill --output ") for command in COMMANDS)
    assert "fetch-depth: 0" in runs["materials"], "a part of the history is not the history"
    assert re.search(r"^  schedule:\n    - cron: ", WORKFLOW, re.MULTILINE)
    assert not re.search(r"continue-on-error|\|\| true", WORKFLOW)


def test_A7_S58_newer_versions_are_proposed_for_all_that_is_locked() -> None:
    proposals = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")
    folders = {
        f"/{path.parent.relative_to(ROOT).as_posix()}"
        for depth in ("*", "*/*", "*/*/*")
        for path in ROOT.glob(f"{depth}/package-lock.json")
        if "node_modules" not in path.parts
    }

    assert set(re.findall(r"package-ecosystem: ([\w-]+)", proposals)) == {"uv", "npm", "github-actions"}
    assert {folder for folder in folders if folder in proposals} == folders
    assert {f"/{Path(one).parent.as_posix()}" for one in NPM} == folders


def test_hooks_run_the_checks_with_the_locked_tools_and_fetch_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")

    assert [shlex.split(entry)[:3] for entry in HOOKS] == [
        [".venv/bin/python", "-m", tool] for tool in ("ruff", "ruff", "mypy", "supply_chain")
    ]
    assert re.findall(r"repo: (\S+)", hooks) == ["local"]
    assert "rev:" not in hooks


def test_ci_runs_what_the_readme_says() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "exec python3 dev.py test"
