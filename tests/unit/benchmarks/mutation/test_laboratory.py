"""Tests are run against mutants in a copy, and what becomes of each is told apart."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.stage.sources import ROOT

MODULE = """
LIMIT = 10
UNTESTED = 1


def is_small(number):
    while number > 1000:
        number -= 1000
    return number < LIMIT


def untested():
    return UNTESTED
"""
TESTS = """
from part.module import is_small


def test_it():
    assert is_small(9) and not is_small(10)
    assert is_small(1001)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a small tree with a module and its tests."""
    for name, text in (("part/module.py", MODULE), ("tests/test_module.py", TESTS), ("part/__init__.py", "")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    return tmp_path


# As a process of its own, because forks of a test run would go on with it.
PROGRAM = """
import json, sys
from pathlib import Path
from benchmarks.mutation.laboratory import Laboratory
from benchmarks.mutation.mutants import mutants_of

tree, wanted = Path(sys.argv[1]), set(sys.argv[2:])
source = (tree / "part/module.py").read_text(encoding="utf-8")
mutants = [mutant for mutant in mutants_of(source) if f"{mutant.before} > {mutant.after}" in wanted]
with Laboratory.of(tree, "part/module.py", ["tests/test_module.py"]) as laboratory:
    fates = [(mutant.before, fate.value) for mutant, fate in laboratory.fates(mutants)]
print(json.dumps(fates))
"""


def examined(tree: Path, *wanted: str) -> subprocess.CompletedProcess[str]:
    """Run the program on mutants, each named by what is changed into what."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tree), *wanted],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_mutants_are_killed_by_tests_that_fail_and_survive_where_none_does(tree: Path) -> None:
    said = examined(
        tree, "10 > 11", "1 > 2", "number < LIMIT > number <= LIMIT", "return UNTESTED > return None"
    )

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == [
        ["10", "killed"],
        ["1", "survived"],
        ["number < LIMIT", "killed"],
        ["return UNTESTED", "survived"],
    ]
    assert (tree / "part/module.py").read_text(encoding="utf-8") == MODULE, "the tree is left alone"


def test_tests_that_fail_by_themselves_say_nothing_about_mutants(tree: Path) -> None:
    (tree / "tests/test_module.py").write_text("def test_it():\n    assert False\n", encoding="utf-8")

    said = examined(tree)

    assert said.returncode == 1
    assert said.stderr.rstrip().endswith("the tests do not pass without a mutant")
