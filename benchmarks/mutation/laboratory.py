"""Runs a module's tests against its mutants, in a copy of the tree.

Owns the copy and the processes: tests are loaded once, and a fork for each mutant puts its code in place and runs them
until one fails. What no fork can put in place (a constant of the module, a default) is written to the file and loaded
anew, and so is every survivor: what was computed before the fork must not hide a fault.
Never touches the working copy, and never decides what a fault is.
"""

import ast
import enum
import gc
import importlib.util
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType
from typing import Any, Final

# Libraries alone, for the forks: what is ours is loaded from the copy.
import aiohttp.web
import aiohttp_session
import hypothesis
import jwt
import msal
import playwright.async_api
import pydantic_settings
import pytest
import redis.asyncio

from benchmarks.mutation.mutants import Mutant

LOADED: Final = (
    aiohttp.web,
    aiohttp_session,
    jwt,
    msal,
    playwright.async_api,
    pydantic_settings,
    redis.asyncio,
)
_NOT_COPIED: Final = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
# Nobody reads why a mutant was noticed: an assert need not say more than that it failed.
_PYTEST: Final = ("-q", "-p", "no:cacheprovider", "--assert=plain")


class Fate(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    OUT_OF_TIME = "took too long"


@dataclass(frozen=True, slots=True)
class _Limit:
    """What one run may take, in seconds: of the clock, and of a processor's time."""

    seconds: float
    computing: int


_DOES_NOT_FIT: Final = 2
_BROKE: Final = 3
_FATES: Final = {0: Fate.SURVIVED, 1: Fate.KILLED, _BROKE: Fate.KILLED, None: Fate.OUT_OF_TIME}
_MOST_MEMORY: Final = 2 << 30


class Laboratory:
    """One module in a copy of the tree, with the tests that concern it."""

    def __init__(self, root: Path, copy: Path, module: str, tests: Sequence[str]) -> None:
        self._root = root
        self._copy = copy
        self._file = copy / module
        self._tests = tests
        self._limit = _Limit(0, 0)
        self._order: list[str] = []

    @classmethod
    @contextmanager
    def of(cls, root: Path, module: str, tests: Sequence[str]) -> Iterator["Laboratory"]:
        """Give one while the block runs."""
        with TemporaryDirectory() as folder:
            copy = Path(folder).resolve() / "tree"
            shutil.copytree(root, copy, ignore=_NOT_COPIED, symlinks=True)
            yield cls(root, copy, module, tests)

    def fates(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Fate]]:
        """Return each mutant with what became of it."""
        report = self._copy / "report.json"
        if _forked(lambda: self._run(mutants, report), None) != 0:
            raise SystemExit(f"{self._output()}\nthe tests do not pass without a mutant")
        first = json.loads(report.read_text(encoding="utf-8"))
        self._limit, self._order = _Limit(*first["limit"]), first["order"]
        Path(importlib.util.cache_from_source(str(self._file))).unlink(missing_ok=True)
        if self._afresh(ast.unparse(ast.parse(self._file.read_text(encoding="utf-8")))) is not Fate.SURVIVED:
            raise SystemExit(
                f"{self._output()}\nthe tests do not pass without a mutant when it is loaded anew"
            )
        for mutant, code in zip(mutants, first["codes"], strict=True):
            yield mutant, self._afresh(mutant.source) if code in {0, _DOES_NOT_FIT} else _FATES[code]

    def _afresh(self, source: str) -> Fate:
        """Run the tests against a source of the module, which is loaded anew."""
        self._file.write_text(source, encoding="utf-8")
        codes = (_forked(lambda: self._run((), self._copy / "report.json"), self._limit) for _ in range(2))
        code = next(codes)
        # What a test needs could not be had: because of the mutant, or because the computer is busy.
        return _FATES[next(codes) if code == _BROKE else code]

    def _run(self, mutants: Sequence[Mutant], report: Path) -> int:
        """Run the tests as pytest would in the copy; without `mutants` against what the file holds."""
        # Of a file that changes twice a second, what was compiled before looks as if it were of now.
        sys.dont_write_bytecode = not mutants
        random.seed()
        for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
            del sys.modules[name]
        os.chdir(self._copy)
        sys.path[:] = [
            str(self._copy),
            *(entry for entry in sys.path if Path(entry or ".").resolve() != self._root),
        ]
        silence = os.open(self._copy / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        loop = _Loop(self._file, mutants, self._order)
        code = pytest.main([*_PYTEST, *self._tests], plugins=[loop])
        outcome = {"codes": loop.codes, "limit": astuple(loop.limit), "order": loop.order}
        report.write_text(json.dumps(outcome), encoding="utf-8")
        if loop.failed:
            return 1
        return 0 if code == pytest.ExitCode.OK and not loop.broke else _BROKE

    def _output(self) -> str:
        return (self._copy / "output.txt").read_text(encoding="utf-8")


def _forked(work: Callable[[], int], limit: _Limit | None) -> int | None:
    """Do `work` in a fork; return its result, or None when it took more than the limit."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            if limit:
                resource.setrlimit(resource.RLIMIT_CPU, (limit.computing, limit.computing))
                resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
            code = work()
        except BaseException:  # noqa: BLE001 - a fork ends here, whatever happened
            traceback.print_exc()
        finally:
            os._exit(code)
    deadline = time.monotonic() + limit.seconds if limit else math.inf
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            ended = os.waitpid(pid, 0)
            break
        time.sleep(0.002)
    ended_with = os.waitstatus_to_exitcode(ended[1])
    return ended_with if ended_with in _FATES or ended_with == _DOES_NOT_FIT else None


class _Loop:
    """Takes the place of pytest's loop over the tests: all of them once, then until one fails for each mutant."""

    def __init__(self, file: Path, mutants: Sequence[Mutant], order: list[str]) -> None:
        self._file = file
        self._mutants = mutants
        self._kills: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._killers = file.parent / "killers.txt"
        self.order = order
        """Which tests to run first, by their ids."""
        self.failed: list[str] = []
        self.broke = False
        """Whether something failed before or after a test."""
        self.codes: list[int | None] = []
        self.limit = _Limit(0, 0)

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
        self._all(session)
        # Generous, since other programs want the computer as well, and a fresh start takes its time too.
        self.limit = _Limit(
            60 + 5 * (time.monotonic() - begun), 15 + math.ceil(5 * (time.process_time() - computed))
        )
        if not self.failed and not self.broke:
            self.codes = [self._code(session, mutant) for mutant in self._mutants]
        self.order = [item.nodeid for item in session.items]
        return True

    def _code(self, session: pytest.Session, mutant: Mutant) -> int | None:
        if not mutant.function:
            return _DOES_NOT_FIT
        # The tests that killed most come first, the quickest of equals.
        session.items.sort(key=lambda item: (-self._kills[item.nodeid], self._seconds[item.nodeid]))
        self._killers.write_text("", encoding="utf-8")
        code = _forked(lambda: self._with(session, mutant), self.limit)
        self._kills.update(self._killers.read_text(encoding="utf-8").split("\n")[:1])
        return code

    def _with(self, session: pytest.Session, mutant: Mutant) -> int:
        if not put_in_place(self._file, mutant):
            return _DOES_NOT_FIT
        self._all(session)
        self._killers.write_text("\n".join(self.failed), encoding="utf-8")
        return 1 if self.failed or self.broke else 0

    def _all(self, session: pytest.Session) -> None:
        """Run tests until one fails; what was started for the session stays, as forks use it as well."""
        for item in session.items:
            stays: Any = session
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=stays)
            if self.failed or self.broke:
                return


def put_in_place(file: Path, mutant: Mutant) -> bool:
    """Give the functions that are loaded from `file` the mutant's code; False where that is not possible."""
    changed = [
        code
        for code in _codes(compile(mutant.source, str(file), "exec"))
        if code.co_qualname == mutant.function
    ]
    functions = [
        one
        for one in gc.get_objects()
        if isinstance(one, FunctionType)
        and one.__code__.co_filename == str(file)
        and one.__code__.co_qualname == mutant.function
    ]
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
