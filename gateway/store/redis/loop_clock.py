"""How long another machine took, as far as our own event loop was there to see it.

Owns a clock that stands still while the loop does: a busy computer, a long callback or a stopped process is nobody's
slowness but ours.
Never cancels anything (`servicekit/remote_timeout.py` does), and ticks only while somebody measures.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_TICK_SECONDS: Final = 0.01
# What a timer of a healthy loop is late by.
_PUNCTUAL_SECONDS: Final = 0.005


class LoopClock:
    """Seconds in which the running loop turned; only differences mean anything, and only inside of `ticking`."""

    def __init__(self) -> None:
        self.stood_still = 0.0
        """For how many seconds the loop did, while the clock ticked."""
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Let the clock tick while the block runs; blocks may overlap."""
        self._users += 1
        if self._timer is None:
            self._arm(asyncio.get_running_loop())
        try:
            yield
        finally:
            self._users -= 1
            if not self._users and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def now(self) -> float:
        """Return the clock's seconds."""
        return asyncio.get_running_loop().time() - self.stood_still

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _TICK_SECONDS
        self._timer = loop.call_at(due, self._tick, loop, due)

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - due
        if late > _PUNCTUAL_SECONDS:
            self.stood_still += late
        self._arm(loop)
