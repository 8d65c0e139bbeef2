"""Facts about nobody, when they come one upon the other: the first ones as they are, the rest as a count.

Owns that strangers can neither fill the disk nor wash away what persons did, and that the totals are exact: of each
kind so many lines in a minute, then one with how many more there were and from which networks the most.
Never folds what a person did.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FIRST: Final = 20
WINDOW_SECONDS: Final = 60.0
_MOST_KINDS: Final = 1_000
_MOST_NETWORKS: Final = 1_000
_NAMED_NETWORKS: Final = 5
# What is different in each of them.
_OF_ONE: Final = frozenset({"address", "network", "user_agent", "reference", "session", "route"})


@dataclass(slots=True)
class _Window:
    """What came of one kind since `began`."""

    began: float
    members: Mapping[str, Any]
    written: int = 0
    folded: int = 0
    networks: Counter[str] = field(default_factory=Counter)


class Folding:
    """What is written as it is, and what is counted; `now` is a monotonic clock in seconds."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        first: int = FIRST,
        window_seconds: float = WINDOW_SECONDS,
    ) -> None:
        self._now = now
        self._first = first
        self._window_seconds = window_seconds
        self._windows: dict[Hashable, _Window] = {}
        self._lock = threading.Lock()

    def takes(self, kind: Hashable, members: Mapping[str, Any]) -> bool:
        """Return whether a fact is counted instead of being written."""
        with self._lock:
            # More kinds than anybody has are counted as one.
            known = kind in self._windows or len(self._windows) < _MOST_KINDS
            window = self._windows.setdefault(kind if known else None, _Window(self._now(), members))
            if window.written < self._first:
                window.written += 1
                return False
            window.folded += 1
            network = members.get("network")
            if network and (network in window.networks or len(window.networks) < _MOST_NETWORKS):
                window.networks[network] += 1
            return True

    def due(self, *, at_the_end: bool = False) -> list[dict[str, Any]]:
        """Return the members of one line for each kind that was counted and whose minute is over, or for all."""
        with self._lock:
            until = self._now() - self._window_seconds
            over = [kind for kind, window in self._windows.items() if at_the_end or window.began <= until]
            windows = [self._windows.pop(kind) for kind in over]
        return [_counted(window) for window in windows if window.folded]


def _counted(window: _Window) -> dict[str, Any]:
    members = {name: value for name, value in window.members.items() if name not in _OF_ONE}
    most = dict(window.networks.most_common(_NAMED_NETWORKS))
    return {**members, "count": window.folded, "networks": most}
