"""In the place of pytest's loop over the tests: all of them once, then until one fails for each mutant.

Owns which tests reach a mutant's line and their order, and putting its code into the functions that are loaded already.
What is started for the session stays: each mutant is a fork of the process that has it.
"""

import gc
import math
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import hypothesis
import pytest

from benchmarks.mutation.forks import DOES_NOT_FIT, FAILED, PASSED, Limit, forked
from benchmarks.mutation.mutants import Mutant


class Loop:
    """Takes the place of pytest's loop over the tests: all of them once, then until one fails for each mutant."""

    def __init__(self, file: Path, mutants: Sequence[Mutant], order: list[str]) -> None:
        self._file = file
        self._mutants = mutants
        self._kills: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._reached: defaultdict[int, set[str]] = defaultdict(set)
        """By line of the module, the tests that reached it."""
        self._running = ""
        self._functions: list[FunctionType] = []
        self._killers = file.parent / "killers.txt"
        self.order = order
        """Which tests to run first, by their ids."""
        self.failed: list[str] = []
        self.broke = False
        """Whether something failed before or after a test."""
        self.codes: list[int | None] = []
        self.limit = Limit(0, 0)

    def pytest_configure(self) -> None:
        """Let properties try the same inputs for every mutant, each for as long as a busy computer takes."""
        hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, database=None)
        hypothesis.settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what failed, and how long it took."""
        self._seconds[report.nodeid] += report.duration
        if report.failed and report.when == "call":
            self.failed.append(report.nodeid)
        elif report.failed:
            self.broke = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests, and where they pass, the mutants."""
        places = {name: place for place, name in enumerate(self.order)}
        session.items.sort(key=lambda item: places.get(item.nodeid, 0))
        begun, computed = time.monotonic(), time.process_time()
        with self._tracing() if self._mutants else nullcontext():
            self._all(session.items, session)
        # Generous, since other programs want the computer as well, and a fresh start takes its time too.
        self.limit = Limit(
            30 + 5 * (time.monotonic() - begun), 15 + math.ceil(5 * (time.process_time() - computed))
        )
        if not self.failed and not self.broke:
            self._functions = loaded_from(self._file)
            # A fork copies each page that it writes to: no look for what is used no more is to write to them all.
            gc.freeze()
            self.codes = [self._code(session, mutant) for mutant in self._mutants]
        self.order = [item.nodeid for item in session.items]
        return True

    def _code(self, session: pytest.Session, mutant: Mutant) -> int | None:
        # Who does not come to the line cannot notice; where nobody does, what was computed before the tests may count.
        items = [item for item in session.items if item.nodeid in self._reached[mutant.line]]
        if not mutant.function or not items:
            return DOES_NOT_FIT
        # The tests that killed most come first, the quickest of equals.
        items.sort(key=lambda item: (-self._kills[item.nodeid], self._seconds[item.nodeid]))
        self._killers.write_text("", encoding="utf-8")
        code = forked(lambda: self._with(items, session, mutant), self.limit)
        self._kills.update(self._killers.read_text(encoding="utf-8").split("\n")[:1])
        return code

    def _with(self, items: Sequence[pytest.Item], session: pytest.Session, mutant: Mutant) -> int:
        if not put_in_place(self._file, self._functions, mutant):
            return DOES_NOT_FIT
        self._all(items, session)
        self._killers.write_text("\n".join(self.failed), encoding="utf-8")
        return FAILED if self.failed or self.broke else PASSED

    def _all(self, items: Sequence[pytest.Item], session: pytest.Session) -> None:
        """Run tests until one fails; what was started for the session stays, as forks use it as well."""
        for item in items:
            self._running = item.nodeid
            stays: Any = session
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=stays)
            if self.failed or self.broke:
                return

    @contextmanager
    def _tracing(self) -> Iterator[None]:
        """Write down while the block runs which test reaches which line of the module."""
        file = str(self._file)

        def lines(frame: FrameType, _event: str, _value: object) -> Any:
            self._reached[frame.f_lineno].add(self._running)
            return lines

        def calls(frame: FrameType, event: str, value: object) -> Any:
            return lines(frame, event, value) if frame.f_code.co_filename == file else None

        threading.settrace(calls)
        sys.settrace(calls)
        yield
        sys.settrace(None)
        threading.settrace(None)


def loaded_from(file: Path) -> list[FunctionType]:
    """Return the functions whose code is of a file."""
    return [
        one
        for one in gc.get_objects()
        if isinstance(one, FunctionType) and one.__code__.co_filename == str(file)
    ]


def put_in_place(file: Path, loaded: Sequence[FunctionType], mutant: Mutant) -> bool:
    """Give the functions that are `loaded` from `file` the mutant's code; False where that is not possible."""
    changed = [
        code
        for code in _codes(compile(mutant.source, str(file), "exec"))
        if code.co_qualname == mutant.function
    ]
    functions = [one for one in loaded if one.__code__.co_qualname == mutant.function]
    if len(changed) != 1 or not functions:
        return False
    try:
        for function in functions:
            function.__code__ = changed[0]
    except ValueError:  # other variables of the scopes around it
        return False
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
