"""`python3 dev.py test` from outside, with stand-ins for the tools that it runs."""

import signal
from collections.abc import Iterator

import pytest

from devstack.checks import WORKERS
from tests.real.devstack.stand_in import Project, make_project

# Python finds these in the working copy before the real ones, because it runs there (`-m`).
TOOL = """
import os, sys, time
print("{name}", sys.argv[1:], os.environ.get("CHROME_PATH"), flush=True)
if "--collect-only" in sys.argv:
    if os.environ.get("STAND_IN_PATIENCE"):
        time.sleep(60)
    open("collected", "w").close()
elif "{name}" == "pytest":
    print("collected", os.path.exists("collected"), flush=True)
    print("compiled in", sys.pycache_prefix, sys.dont_write_bytecode, flush=True)
    if os.environ.get("STAND_IN_PATIENCE"):
        time.sleep(60)
    print("== 3 passed ==")
sys.exit("{name}" in os.environ.get("STAND_IN_FAILS", ""))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    copy = make_project(tmp_path_factory.mktemp("checks").resolve())
    for name in ("ruff", "mypy", "pytest"):
        (copy.root / f"{name}.py").write_text(TOOL.format(name=name))
    (copy.root / "playwright").mkdir()
    (copy.root / "playwright" / "__main__.py").write_text("print('Version 1')")
    browser = copy.root / "bin" / "chromium-headless-shell"
    browser.write_text("#!/bin/sh\necho Chromium 156\n")
    browser.chmod(0o755)
    yield copy
    copy.end()


def lines(project: Project) -> list[str]:
    chromium = str(project.root / "bin" / "chromium-headless-shell")
    output = project.launches[-1].output.splitlines()
    return [
        line.replace(chromium, "CHROMIUM")
        for line in output
        if line.startswith(("ruff", "mypy", "pytest", "=="))
    ]


def test_U33_lint_format_types_and_then_the_tests(project: Project) -> None:
    launch = project.launch("test")

    assert launch.ended() == 0
    assert lines(project) == [
        "ruff ['check', '.'] CHROMIUM",
        "ruff ['format', '--check', '.'] CHROMIUM",
        "mypy [] CHROMIUM",
        f"pytest {list(WORKERS)} CHROMIUM",
        "== 3 passed ==",
    ]
    assert launch.output.splitlines()[-1] == "== 3 passed =="
    assert "collected True" in launch.output, "the workers find the tests compiled"


def test_the_tests_processes_share_compiled_code_and_leave_none_beside_the_sources(project: Project) -> None:
    launch = project.launch("test", "-x", environment={"PYTHONDONTWRITEBYTECODE": "1"})

    assert launch.ended() == 0
    assert f"compiled in {project.root / '.local' / 'compiled'} False" in launch.output


def test_with_arguments_only_the_tests_and_they_get_them(project: Project) -> None:
    assert project.launch("test", "tests/gateway", "-k", "logout", "--verbose").ended() == 0
    assert lines(project) == [
        "pytest ['tests/gateway', '-k', 'logout', '--verbose'] CHROMIUM",
        "== 3 passed ==",
    ]


def test_unit_stands_for_the_tests_that_need_no_browser_and_none_is_looked_for(project: Project) -> None:
    """On a computer that has none, and nothing to get one with."""
    bare = {"PATH": str(project.root)}
    assert project.launch("test", "unit", "-k", "locks", environment=bare).ended() == 0
    assert lines(project) == ["pytest ['tests/unit', '-k', 'locks'] None", "== 3 passed =="]


@pytest.mark.parametrize("name", ["ruff", "mypy", "pytest"])
def test_any_failure_fails_the_command_and_the_tests_run_all_the_same(project: Project, name: str) -> None:
    launch = project.launch("test", environment={"STAND_IN_FAILS": name})

    assert launch.ended() == 1
    assert "== 3 passed ==" in launch.output
    assert ("Failed before the tests" in launch.output) == (name != "pytest")


def test_without_a_browser_it_fails_and_says_so(project: Project) -> None:
    """A computer with neither a Chromium nor a network nor a package manager."""
    launch = project.launch("test", environment={"PATH": str(project.root)})

    assert launch.ended() == 1
    assert "The browser journeys need a Chromium, and none could be installed" in launch.output
    assert lines(project) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments, doing", [(["-x"], "pytest ['-x']"), ([], "types: fine")])
def test_an_interrupted_test_run_leaves_nothing(
    project: Project, number: signal.Signals, arguments: list[str], doing: str
) -> None:
    launch = project.launch("test", *arguments, environment={"STAND_IN_PATIENCE": "1"})
    launch.wait_for(doing)
    launch.press(number)

    assert launch.ended() == 130
    assert launch.left_running() == []
