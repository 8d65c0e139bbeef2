"""Runs a module's tests against its mutants, in a copy of the tree.

Owns the copy, and what becomes of a mutant. Tests are loaded once, and a fork for each mutant puts its code in place
and runs them until one fails. What no fork can put in place (a constant of the module, a default) is written to the
file and loaded anew, and so is every survivor: what was computed before the fork must not hide a fault.
Never touches the working copy, and never decides what a fault is.
"""

import ast
import enum
import gc
import importlib.util
import json
import os
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

# Libraries alone, for the forks: what is ours is loaded from the copy.
import aiohttp.web
import aiohttp_session
import jwt
import msal
import playwright.async_api
import pydantic_settings
import pytest
import redis.asyncio

from benchmarks.mutation.forks import BROKE, DOES_NOT_FIT, FAILED, PASSED, Limit, forked
from benchmarks.mutation.loop import Loop
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
# Nobody reads why a mutant was noticed: an assert need not say more than that it failed, and where.
_PYTEST: Final = ("-q", "-p", "no:cacheprovider", "--assert=plain", "--tb=native")

# A run is over before it could leave much behind.
_SELDOM: Final = (50_000, 20, 100)


class Fate(enum.Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    OUT_OF_TIME = "took too long"


_FATES: Final = {PASSED: Fate.SURVIVED, FAILED: Fate.KILLED, BROKE: Fate.KILLED, None: Fate.OUT_OF_TIME}


class Laboratory:
    """One module in a copy of the tree, with the tests that concern it."""

    def __init__(self, root: Path, copy: Path, module: str, tests: Sequence[str]) -> None:
        self._root = root
        self._copy = copy
        self._file = copy / module
        self._tests = tests
        self._limit = Limit(0, 0)
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
        # What is loaded here is everybody's for good: no fork needs to look through it for what is used no more.
        gc.freeze()
        gc.set_threshold(*_SELDOM)
        if forked(lambda: self._run(mutants, report), None) != PASSED:
            raise SystemExit(f"{self._output()}\nthe tests do not pass without a mutant")
        first = json.loads(report.read_text(encoding="utf-8"))
        self._limit, self._order = Limit(*first["limit"]), first["order"]
        Path(importlib.util.cache_from_source(str(self._file))).unlink(missing_ok=True)
        if self._afresh(ast.unparse(ast.parse(self._file.read_text(encoding="utf-8")))) is not Fate.SURVIVED:
            raise SystemExit(
                f"{self._output()}\nthe tests do not pass without a mutant when it is loaded anew"
            )
        for mutant, code in zip(mutants, first["codes"], strict=True):
            yield mutant, self._afresh(mutant.source) if code in {PASSED, DOES_NOT_FIT} else _FATES[code]

    def _afresh(self, source: str) -> Fate:
        """Run the tests against a source of the module, which is loaded anew."""
        self._file.write_text(source, encoding="utf-8")
        codes = (forked(lambda: self._run((), self._copy / "report.json"), self._limit) for _ in range(2))
        code = next(codes)
        # What a test needs could not be had: because of the mutant, or because the computer is busy.
        return _FATES[next(codes) if code == BROKE else code]

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
        loop = Loop(self._file, mutants, self._order)
        code = pytest.main([*_PYTEST, *self._tests], plugins=[loop])
        outcome = {"codes": loop.codes, "limit": astuple(loop.limit), "order": loop.order}
        report.write_text(json.dumps(outcome), encoding="utf-8")
        if loop.failed:
            return FAILED
        return PASSED if code == pytest.ExitCode.OK and not loop.broke else BROKE

    def _output(self) -> str:
        return (self._copy / "output.txt").read_text(encoding="utf-8")
