"""Work of many that comes at once, a few pieces in each turn of the event loop, the others in those that follow.

Owns the line, in the order of arrival. All that is ready runs in one turn, and whoever comes meanwhile waits for its
end: a thousand pieces of a tenth of a millisecond each keep everybody else waiting for a tenth of a second.
Never knows what is done, and never drops anything of it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final


class FewATurn:
    """One line, of which `most` pieces begin in a turn; to be made on the event loop that it is for."""

    def __init__(self, most: int) -> None:
        self._loop: Final = asyncio.get_running_loop()
        self._most: Final = most
        self._free = most
        self._line: deque[Callable[[], None]] = deque()
        self._is_counting = False

    def begin(self, work: Callable[[], None]) -> bool:
        """Tell whether the caller may begin in this very turn; where not, `work` is called when its turn has come."""
        if not self._is_counting:
            self._is_counting = True
            self._loop.call_soon(self._turn)
        if self._free:
            self._free -= 1
            return True
        self._line.append(work)
        return False

    def _turn(self) -> None:
        """Let the next ones begin, and stop counting when nobody came for a turn."""
        nobody_came = self._free == self._most
        self._free = self._most
        if nobody_came:
            self._is_counting = False
            return
        self._loop.call_soon(self._turn)
        while self._line and self._free:
            self._free -= 1
            self._loop.call_soon(self._line.popleft())
