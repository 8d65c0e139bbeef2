"""Which modules are mutated: what decides who may do what, each with tests that are there."""

import dataclasses
from functools import cache

from benchmarks.mutation.__main__ import TESTS
from benchmarks.mutation.judged import Judgement, judgement_of, judgements
from benchmarks.mutation.mutants import faults_in, mutants_of
from tests.stage.sources import ROOT

GUARDED = ("gateway/flows/*.py", "gateway/edge/limit*.py", "servicekit/jwt_*.py")


def test_S60_every_flow_every_limit_and_everything_that_judges_a_token_is_mutated() -> None:
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


def test_S60_a_fault_that_may_stand_is_one_of_a_module_and_somebody_said_why() -> None:
    faults = cache(lambda module: faults_in((ROOT / module).read_text(encoding="utf-8")))
    for judgement in judgements():
        made = faults(judgement.module)
        assert judgement.module in TESTS
        assert (judgement.function, judgement.before, judgement.after) in made, "its code is gone"
        assert len(judgement.why) > len("equivalent")


def test_a_judgement_is_for_one_fault_in_one_function() -> None:
    (mutant, *_) = mutants_of("def answer():\n    return 1\n")
    known = [Judgement("a.py", "answer", mutant.before, mutant.after, "because")]

    assert judgement_of("a.py", mutant, known) == known[0]
    assert judgement_of("b.py", mutant, known) is None
    assert judgement_of("a.py", dataclasses.replace(mutant, function="other"), known) is None
