"""How long one request may work, and whether it may try a call again.

Owns the deadline that is handed down through every call of one request, and the budget that keeps retries at a
tenth of the traffic: when a server is in trouble, repeating everything would double its load.
Never sleeps and never calls anything.
"""

import time
from collections.abc import Callable
from typing import Final

_RESERVE: Final = 10.0
_SHARE: Final = 0.1


class Deadline:
    """The end of one request's patience; `now` is a monotonic clock."""

    def __init__(self, seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._end = now() + seconds

    @property
    def remaining(self) -> float:
        """Seconds until the end, never below zero."""
        return max(0.0, self._end - self._now())


class RetryBudget:
    """Lets about one in ten calls be tried again, with a small reserve for quiet times."""

    def __init__(self) -> None:
        self._credit = _RESERVE

    def called(self) -> None:
        """Note a call that went out."""
        self._credit = min(_RESERVE, self._credit + _SHARE)

    def take(self) -> bool:
        """Ask for one retry; False when the budget is spent."""
        if self._credit < 1:
            return False
        self._credit -= 1
        return True
