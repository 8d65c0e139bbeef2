"""Lines of the log about the same caller: the first at once, the next ones once a minute, with how many there were.

Owns when a line is due, for whoever refuses somebody a thousand times a minute.
Never writes one.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

SECONDS: Final = 60.0
_MOST_CALLERS: Final = 1_000


class RareLines:
    """Counts by caller; `now` is a monotonic clock in seconds."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        # When a line was due, and how often it came since.
        self._callers: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def one_more(self, caller: Hashable) -> int:
        """Return for how many, this one included, a line is due now; 0 where none is."""
        now = self._now()
        at, waiting = self._callers.pop(caller, (now - SECONDS, 0))
        is_due = now - at >= SECONDS
        self._callers[caller] = (now, 0) if is_due else (at, waiting + 1)
        while len(self._callers) > _MOST_CALLERS:
            self._callers.popitem(last=False)
        return waiting + 1 if is_due else 0
