"""When a worker is started in the place of one that ended.

Owns how long that is waited for, and when it is given up. Never starts anything, and knows no clock.
"""

from typing import Final

# A worker that ended sooner may end again for the same reason.
QUICK_SECONDS: Final = 5.0
# So many of those are chance: the system was short of memory, somebody tried what happens.
_AT_ONCE: Final = 3
_FIRST_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 30.0


class Restarts:
    """The ends in one worker's place."""

    def __init__(self) -> None:
        self._quick = 0
        self._never_served = 0

    @property
    def in_vain(self) -> bool:
        """Whether so many in a row have never served that the next one can be expected not to."""
        return self._never_served > _AT_ONCE

    def after(self, served_seconds: float | None) -> float:
        """Return in how many seconds to start the next one, after one that served so long, or never did (None)."""
        self._never_served = self._never_served + 1 if served_seconds is None else 0
        self._quick = self._quick + 1 if (served_seconds or 0.0) < QUICK_SECONDS else 0
        if self._quick <= _AT_ONCE:
            return 0.0
        return min(_FIRST_SECONDS * 2.0 ** (self._quick - _AT_ONCE - 1), _LONGEST_SECONDS)
