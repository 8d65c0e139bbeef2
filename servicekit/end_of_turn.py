"""What is done at the end of a turn of the event loop: requests, and answers, of many people go out together.

A server that waits, or a proxy, is woken by the first of them and finds the others when it is awake; sent one by one,
each of them would wake it anew, which costs a computer more than all else about a short request.
Never changes the order, and never waits for longer than what else is ready in this turn.
"""

import asyncio
from collections.abc import Callable


class EndOfTurn:
    """Runs what was given to it before this turn's end, in that order; nothing of it may raise."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def add(self, work: Callable[[], None]) -> None:
        """Run it when everything that is ready by now has run."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._run)
        self._waiting.append(work)

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()
