"""The line for a connection to Redis: our own queue, whose waiting is never Redis' slowness.

Owns how many commands are under way at once, who is next, and how long anybody waits for a turn.
Never asks Redis anything, and never knows what a command is for.

Who has begun goes before who has not: a request that has read half of what it needs is worth more than a new one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.exceptions import RedisError

PLACE_SECONDS: Final = 10.0
"""Longer than a process needs for all requests that it lets in, also on a computer with little time for it."""


class OwnDelay(RedisError):
    """Redis was not given its time, as we were slow ourselves: no place was free, or the event loop stood still."""


class Places:
    """`count` places; whoever finds none waits for `seconds` at most."""

    def __init__(self, count: int, *, seconds: float = PLACE_SECONDS) -> None:
        self._free = count
        self._seconds = seconds
        self._first: deque[asyncio.Future[None]] = deque()
        self._then: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def taken(self, *, first: bool = False) -> AsyncIterator[None]:
        """Hold a place while the block runs; raises OwnDelay. `first` goes before all who are not."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._first if first else self._then)
        try:
            yield
        finally:
            self._give_back()

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        line.append(turn)
        # Not `asyncio.timeout`, which costs more than all else here: in a crowd every request comes by.
        end = loop.call_later(self._seconds, _end, turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back()  # it was ours in the same moment
            elif turn in line:
                line.remove(turn)
            raise
        finally:
            end.cancel()

    def _give_back(self) -> None:
        for line in (self._first, self._then):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


def _end(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(OwnDelay("no connection was free for our own commands"))
