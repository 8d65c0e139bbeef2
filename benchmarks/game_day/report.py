"""What is noted of a row: what was done, what people saw, and each promise with what became of it.

Owns the form of the report, for people and as JSON. Never runs anything, and never decides what is promised.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.game_day.tally import Tally


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, whether it was held, and the figure that says so."""

    says: str
    held: bool
    seen: str


@dataclass(slots=True)
class Report:
    """What happened in one row; it is held when it ran to its end and every promise was held."""

    row: str
    fault: str
    done: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    """What could not be tried on this computer, with the reason."""
    seconds: float = 0

    @property
    def held(self) -> bool:
        """Whether every promise was held; a row without one proves nothing."""
        return bool(self.promises) and all(promise.held for promise in self.promises)

    def did(self, what: str) -> None:
        """Note what was done."""
        self.done.append(what)

    def saw(self, who: str, tally: Tally) -> None:
        """Note what somebody was answered."""
        self.seen.append(f"{who}: {tally}")

    def told(self, sentence: str) -> None:
        """Note something else that was seen."""
        self.seen.append(sentence)

    def promise(self, says: str, *, held: bool, seen: object) -> None:
        """Note a promise and what became of it."""
        self.promises.append(Promise(says, bool(held), str(seen)))

    def pass_over(self, what: str) -> None:
        """Note what could not be tried here."""
        self.passed_over.append(what)

    def as_json(self) -> dict[str, Any]:
        """Return everything as members."""
        return {**asdict(self), "held": self.held}

    def drawn(self) -> str:
        """Return everything as lines for people."""
        verdict = "held" if self.held else "NOT HELD"
        lines = [f"{self.row:4} {self.fault}  [{verdict}, {self.seconds:.0f} s]"]
        lines += [f"     done      {text}" for text in self.done]
        lines += [f"     seen      {text}" for text in self.seen]
        for promise in self.promises:
            mark = "held" if promise.held else "BROKEN"
            lines.append(f"     {mark:9} {promise.says}: {promise.seen}")
        lines += [f"     not tried {text}" for text in self.passed_over]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the loads are: 1 for the game day, less for a test of the game day itself."""

    part: float = 1

    def of(self, count: int) -> int:
        """Return so many, as far as this size goes, and two at least."""
        return max(2, round(count * self.part))

    def lasting(self, seconds: float) -> float:
        """Return for how long a load goes on."""
        return max(1.0, seconds * self.part)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the fault table, and what makes it happen."""

    id: str
    fault: str
    run: Callable[[Report, Size], Awaitable[None]]
