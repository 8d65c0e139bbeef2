"""Answers counted: by status and problem type, with their latencies, and who was signed out.

Owns the counting and the percentiles. Never asks anything.
"""

import re
from collections import Counter
from typing import Final

_SLUG: Final = re.compile(rb'"type": ?"/problems/([a-z-]+)"')
_SIGNED_OUT: Final = re.compile(rb'"authenticated": ?false')
RESET: Final = "connection reset"
REFUSED: Final = "connection refused"
SILENT: Final = "no answer"


class Tally:
    """What a number of requests came to. Times are in seconds."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.counts: Counter[str] = Counter()
        self.took: list[float] = []
        """Of each answer, whatever it says."""
        self.good: list[float] = []
        """Of each answer with a status below 400 that is no sign-out."""
        self.signed_out = 0
        """How many who were signed in were told that they are not."""
        self.seconds = 0.0

    def answer(self, status: int, body: bytes, took: float) -> None:
        """Count an answer to somebody who is signed in."""
        slug = _SLUG.search(body)
        self.took.append(took)
        told = str(status) if slug is None else f"{status} {slug[1].decode()}"
        if status == 401 or _SIGNED_OUT.search(body):
            self.signed_out += 1
            told = told if status == 401 else f"{told} signed out"
        elif status < 400:
            self.good.append(took)
        self.counts[told] += 1

    def failure(self, what: str) -> None:
        """Count a request that was not answered."""
        self.counts[what] += 1

    def add(self, other: "Tally") -> None:
        """Count what another counted, in a time of its own."""
        self.counts += other.counts
        self.took += other.took
        self.good += other.good
        self.signed_out += other.signed_out
        self.seconds += other.seconds

    @property
    def total(self) -> int:
        """How many were asked."""
        return self.counts.total()

    @property
    def unanswered(self) -> int:
        """How many have no answer at all."""
        return sum(self.counts[kind] for kind in (RESET, REFUSED, SILENT))

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return len(self.good) / self.seconds if self.seconds else 0.0

    def number(self, told: str) -> int:
        """How many were told this: a status, or a problem's slug."""
        return sum(count for text, count in self.counts.items() if told in text.split(" "))

    def all_are(self, told: str) -> bool:
        """Whether there are answers, and each says this."""
        return bool(self.total) and self.number(told) == self.total

    def __str__(self) -> str:
        """Return all of it in a line."""
        kinds = ", ".join(f"{told}: {count}" for told, count in sorted(self.counts.items()))
        rate = f", {self.goodput:.0f} good a second" if self.seconds else ""
        return f"{kinds or 'nothing'}{rate}; {latencies(self.took)}; {self.signed_out} signed out"


def latencies(took: list[float]) -> str:
    """Return the median, the 99th percentile and the longest."""
    if not took:
        return "no times"
    milliseconds = [f"{percentile(took, part) * 1000:.0f}" for part in (0.5, 0.99, 1)]
    return "p50 {} ms, p99 {} ms, longest {} ms".format(*milliseconds)


def percentile(took: list[float], part: float) -> float:
    """Return the time within which this part was done; 0 where nothing was."""
    ordered = sorted(took)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
