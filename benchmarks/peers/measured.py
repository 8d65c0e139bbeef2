"""Loads in turns: each peer is asked for each work once a turn, so that a busy moment meets all of them.

Owns what a turn brought and what many of them come to. A figure is the median of its turns; a ratio is one to the bare
handler of the same turn, and then the median.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from benchmarks.peers.cores import computing_seconds
from benchmarks.peers.peer import W1, Peer
from benchmarks.peers.wrk import Load, loaded

BARE: Final = "bare"
_UNCOUNTED_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """One load on one peer."""

    load: Load
    microseconds: float
    """Of computing, a request, of the peer and all that it has started."""
    of_store: float | None = None
    """The same of the store that it asks."""


@dataclass
class Series:
    """All loads on one peer for one work."""

    peer: str
    work: str
    versions: str
    turns: list[Turn] = field(default_factory=list)

    def middle(self, figure: Callable[[Turn], float]) -> float:
        """Return the median of a figure."""
        return median(map(figure, self.turns))

    def ratio(self, bare: "Series | None") -> float | None:
        """Return the requests a second as a part of the bare handler's, None where that was not measured."""
        if bare is None:
            return None
        pairs = zip(self.turns, bare.turns, strict=True)
        return median(mine.load.per_second / its.load.per_second for mine, its in pairs)

    def ratio_of_computing(self, bare: "Series | None") -> float | None:
        """Return how much computing the bare handler takes as a part of its own: the ratio of idle cores."""
        if bare is None:
            return None
        pairs = zip(self.turns, bare.turns, strict=True)
        return median(its.microseconds / mine.microseconds for mine, its in pairs)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how hard each load is."""

    seconds: int
    turns: int
    connections: int
    core: int
    """Where wrk runs."""


def in_turns(peers: Mapping[str, Peer], pace: Pace, tell: Callable[[str], None]) -> list[Series]:
    """Measure peers that run; `tell` hears what is under way."""
    all_series = [
        Series(name, work, peer.versions) for name, peer in peers.items() for work in peer.addresses
    ]
    for series in all_series:  # what only the first requests do
        _turn(peers[series.peer], series.work, pace, _UNCOUNTED_SECONDS)
    for turn in range(pace.turns):
        for series in all_series:
            took = _turn(peers[series.peer], series.work, pace, pace.seconds)
            series.turns.append(took)
            tell(
                f"turn {turn + 1} {series.peer} {series.work}: {took.load.per_second:.0f} req/s, "
                f"{took.microseconds:.0f} µs, bad {took.load.bad}"
            )
    return all_series


def _turn(peer: Peer, work: str, pace: Pace, seconds: int) -> Turn:
    before, before_of_store = computing_seconds(peer.pid), _of_store(peer)
    load = loaded(
        peer.addresses[work], peer.headers, seconds=seconds, connections=pace.connections, core=pace.core
    )
    each = 1_000_000 / max(load.requests, 1)
    of_store = None if peer.store is None else (_of_store(peer) - before_of_store) * each
    return Turn(load, (computing_seconds(peer.pid) - before) * each, of_store)


def _of_store(peer: Peer) -> float:
    return 0.0 if peer.store is None else computing_seconds(peer.store)


def bare_of(all_series: Sequence[Series]) -> Series | None:
    """Return the bare handler's series, which every ratio is to."""
    return next((series for series in all_series if (series.peer, series.work) == (BARE, W1)), None)
