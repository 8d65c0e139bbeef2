"""When "too many requests" (429, RFC 6585) is said to one, and when it is meant for all.

Owns the counting. A 429 holds whoever it was told to, which is for the caller to remember; an authority limits people,
sessions and applications, and says with none of its answers which of these it was.
Never holds anybody by itself.
"""

from collections.abc import Callable
from typing import Final

DIFFERENT: Final = 3
"""So many different callers in a row, with no other answer between them: then it is meant for all."""
WINDOW_SECONDS: Final = 120
"""What lies longer back does not count; longer than anybody is held, so that whoever finds out afterwards counts."""


class Throttling:
    """The callers that were told 429 in a row; `now` is a monotonic clock in seconds."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._callers: dict[object, float] = {}

    def note(self, who: object) -> bool:
        """Note that `who` was told 429, and say whether it is meant for all."""
        since = self._now() - WINDOW_SECONDS
        self._callers = {one: at for one, at in self._callers.items() if at > since}
        self._callers[who] = self._now()
        return len(self._callers) >= DIFFERENT

    def answered(self) -> None:
        """Note that somebody was given another answer."""
        self._callers.clear()
