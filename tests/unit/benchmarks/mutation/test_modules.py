"""Which modules are mutated: what decides who may do what, each with tests that are there."""

from benchmarks.mutation.__main__ import TESTS
from tests.stage.sources import ROOT

GUARDED = ("gateway/flows/*.py", "servicekit/jwt_*.py")


def test_every_flow_and_everything_that_judges_a_token_is_mutated() -> None:
    modules = {
        path.relative_to(ROOT).as_posix()
        for pattern in GUARDED
        for path in ROOT.glob(pattern)
        if path.name != "__init__.py"
    }

    assert modules - TESTS.keys() == set()


def test_every_module_that_is_mutated_is_there_with_its_tests() -> None:
    named = {*TESTS, *(test for tests in TESTS.values() for test in tests)}

    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []
