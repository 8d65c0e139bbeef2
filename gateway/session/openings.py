"""How many sessions are opened in one turn of the event loop, when many people come at once.

Opening a session is the dearest part of most requests, and Redis tells of hundreds in one piece: opened in one turn,
they would be a pause for everybody, whose own session is open already.
Owns whose turn it is. Never opens one.
"""

import asyncio
from collections import deque
from typing import Final

MOST: Final = 8
"""A millisecond or two."""


class Openings:
    """Turns, `most` in a turn of the loop; whoever finds none waits for one of the next, in order of arrival."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._left = most
        self._line: deque[asyncio.Future[None]] = deque()
        self._is_counting = False

    async def turn(self) -> None:
        """Wait for a turn, if there is none left in this turn of the loop."""
        loop = asyncio.get_running_loop()
        if not self._is_counting:
            self._is_counting = True
            loop.call_soon(self._next)
        if self._left:
            self._left -= 1
            return
        waiter: asyncio.Future[None] = loop.create_future()
        self._line.append(waiter)
        await waiter  # whoever leaves is passed over

    def _next(self) -> None:
        self._left = self._most
        while self._line and self._left:
            waiter = self._line.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._left -= 1
        self._is_counting = self._left < self._most
        if self._is_counting:
            asyncio.get_running_loop().call_soon(self._next)
