"""The numbered items of the security (S), reliability (R) and user (U) lists, and which of them a run has shown.

Owns the reading of docs/reference/security-coverage.md and of the numbers in the tests' names, and the line at the end
of a whole run: `S 60/60 R 29/29 U 40/40`.
Never judges whether a test shows all that its item asks: that is for whoever reads both.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "security-coverage.md"
LISTS: Final = ("S", "R", "U")
NO_REASON: Final = "\N{EN DASH}"
_ROW: Final = re.compile(r"^\| ([SRU]\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_NUMBERS: Final = re.compile(r"\btest((?:_[A-Z]\d+)+)_")


@dataclass(frozen=True, slots=True)
class Item:
    """One row: what is asked, and why a part of it or all of it is shown by no test, if that is so."""

    id: str
    asked: str
    reason: str

    @property
    def has_reason(self) -> bool:
        """Whether the page says why no test shows it."""
        return self.reason != NO_REASON


def items() -> list[Item]:
    """Return the items in the order of the page."""
    return [Item(*row) for row in _ROW.findall(PAGE.read_text(encoding="utf-8"))]


def numbers_of(test: str) -> frozenset[str]:
    """Return the items that a test's name claims: `S9` and `S46` of `test_A8_S9_S46_…`."""
    named = _NUMBERS.search(test)
    return frozenset(named[1].strip("_").split("_")) if named else frozenset()


def shown(tests: Iterable[str]) -> frozenset[str]:
    """Return the items that these tests show."""
    return frozenset().union(*map(numbers_of, tests))


def line_of(passed: frozenset[str], listed: Mapping[str, Item]) -> str:
    """Return the line for what passed: of each list how many items were shown, or have a reason not to be."""
    counts, missing, unproven = [], [], []
    for kind in LISTS:
        of_kind = [item for item in listed.values() if item.id[0] == kind]
        open_items = [item for item in of_kind if item.id not in passed]
        missing += [item.id for item in open_items if not item.has_reason]
        unproven += [item.id for item in open_items if item.has_reason]
        held = len(of_kind) - sum(not item.has_reason for item in open_items)
        counts.append(f"{kind} {held}/{len(of_kind)}")
    line = " ".join(counts)
    if unproven:
        line += f" (by reason and no test: {' '.join(unproven)})"
    return f"{line}; not shown by this run: {' '.join(missing)}" if missing else line


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the line after a whole run; a part of the tests shows a part of the items, which says nothing."""
    is_whole = not any(config.getoption(name) for name in ("file_or_dir", "keyword", "markexpr"))
    if not is_whole or hasattr(config, "workerinput"):
        return
    passed = {report.nodeid for report in terminalreporter.stats.get("passed", ())}
    failed = {
        report.nodeid for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, ())
    }
    terminalreporter.write_line(line_of(shown(passed) - shown(failed), {item.id: item for item in items()}))
