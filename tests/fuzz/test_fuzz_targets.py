"""Every fuzz target keeps its promise: for all of its corpus, and for some hundred inputs, the same in every run."""

import pytest

from tests.fuzz.inputs import inputs
from tests.fuzz.search import search, search_for
from tests.fuzz.target import CORPUS, Target
from tests.fuzz.targets import TARGETS

EXAMPLES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_S39_S50_whatever_was_worth_keeping_breaks_no_promise(name: str) -> None:
    target = TARGETS[name]

    assert target.kept, "a format has examples"
    for data in (*target.kept.values(), *target.made, b"", b"\0", b"\xff"):
        target.check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_S39_S50_no_promise_is_broken_by_what_nobody_would_write(name: str) -> None:
    finding = search(TARGETS[name], examples=EXAMPLES)

    assert finding is None, f"{finding}: {TARGETS[name].promise}"


def test_the_corpus_belongs_to_targets() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
    assert all(len(data) < 6_000 for target in TARGETS.values() for data in target.kept.values())


def _breaks(data: bytes) -> None:
    if b"<" in data and data.endswith(b">"):
        raise KeyError(data)


ODD = Target("odd", "it takes anything", _breaks, [b"<", b">", b"abc"])


def test_a_broken_promise_is_found_and_made_small() -> None:
    finding = search(ODD, examples=EXAMPLES)

    assert finding
    assert finding.data == b"<>"
    assert isinstance(finding.fault, KeyError)
    assert search(ODD, examples=EXAMPLES) is not None, "again"


def test_a_search_by_chance_ends_with_its_time_or_with_what_it_finds() -> None:
    times = iter(range(100))

    tried, finding = search_for(ODD, 50, chance=7, now=lambda: next(times))

    assert finding
    assert finding.data == b"<>"
    assert tried
    good = Target("good", "it takes anything", lambda _: None, [b"a"])
    assert search_for(good, 2, chance=7, now=lambda: next(times)) == (100, None)


def test_seeds_are_changed_but_near() -> None:
    seen: set[bytes] = set()
    seed = b"A" * 40 + b"needle" + b"B" * 40
    search(Target("near", "it is seen", seen.add, [b"w"], made=[seed]), examples=EXAMPLES)

    assert sum(b"needle" in data for data in seen) > 10
    assert seed in seen
    assert len(seen) > 50
    assert inputs([b"w"], []) is not None
