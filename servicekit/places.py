"""Places: so many may be had at once, and whoever waits for one gets it in the order of arrival.

Owns that no place is lost, whoever leaves while waiting, and that one that is free costs no turn of the event loop.
Never knows what a place is for, and never bounds how many wait or for how long: `bulkhead.py` does.
"""

import asyncio
from collections import deque


class Places:
    """Some places, all free at first."""

    __slots__ = ("_free", "_waiters")

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiters: deque[asyncio.Future[None]] = deque()

    def take_at_once(self) -> bool:
        """Take a place if one is free; tell whether it was."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def take(self) -> None:
        """Take a place, as soon as one is free."""
        if self.take_at_once():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self.give_back()  # it was handed over in the moment of leaving
            else:
                self._waiters.remove(waiter)
            raise

    def give_back(self) -> None:
        """Give a place back: to whoever has waited for the longest, or to whoever comes next."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1
