"""Faults that no test can notice, or should: each was looked at, and `judged.toml` says why it may stand.

Owns reading that file. Never counts a fault as killed because somebody has judged it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.mutation.mutants import Mutant

FILE: Final = Path(__file__).with_name("judged.toml")


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a fault may go unnoticed; it is known by its module, its function, and what stood and stands there."""

    module: str
    function: str
    before: str
    after: str
    why: str


def judgements(path: Path = FILE) -> list[Judgement]:
    """Return what the file says."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["judged"]
    return [Judgement(**row) for row in rows]


def judgement_of(module: str, mutant: Mutant, known: list[Judgement]) -> Judgement | None:
    """Return why this one may stand; None where nobody has judged it."""
    for one in known:
        if (one.module, one.function, one.before, one.after) == (
            module,
            mutant.function,
            mutant.before,
            mutant.after,
        ):
            return one
    return None
