"""A pace for work that can wait: one piece, and then some turns of the event loop that are everybody else's.

Owns the line, in the order of arrival. Whoever answers a request needs some turns for it, one behind the other; with a
piece of other work in each of them an answer takes that many pieces longer.
Never knows what is done, nor how long it takes.
"""

import asyncio
from collections import deque
from typing import Final


class Pace:
    """Lets one piece begin, and the next one `turns` later, or after `seconds` where turns are long.

    To be used on one event loop. What is done under a second limit alone would fill each turn of a busy process.
    """

    def __init__(self, turns: int, seconds: float) -> None:
        self._turns: Final = turns
        self._seconds: Final = seconds
        self._line: deque[asyncio.Future[None]] = deque()
        self._is_resting = False

    async def turn(self) -> None:
        """Wait for one's turn, if there is none at once; whoever is cancelled meanwhile takes nothing from anybody."""
        loop = asyncio.get_running_loop()
        if not self._is_resting:
            self._rest(loop)
            return
        come: asyncio.Future[None] = loop.create_future()
        self._line.append(come)
        await come

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_resting = True
        loop.call_soon(self._count, loop, 1, loop.time() + self._seconds)

    def _count(self, loop: asyncio.AbstractEventLoop, turns: int, until: float) -> None:
        """Count a turn; after the last one let the next piece begin that is still waited for."""
        if turns < self._turns and loop.time() < until:
            loop.call_soon(self._count, loop, turns + 1, until)
            return
        self._is_resting = False
        while self._line and not self._is_resting:
            come = self._line.popleft()
            if not come.done():
                come.set_result(None)
                self._rest(loop)
