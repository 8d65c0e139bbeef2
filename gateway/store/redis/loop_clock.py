"""How long another machine took, as far as our own event loop was there to see it.

Owns a clock that stands still while the loop does: a busy computer, a long callback or a stopped process is nobody's
slowness but ours.
Never cancels anything (`servicekit/remote_timeout.py` does), and ticks only while somebody measures.
"""

import asyncio
import contextvars
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from servicekit.remote_timeout import LATE_SECONDS

_TICK_SECONDS: Final = 0.01
# What a timer of a healthy loop is late by.
_PUNCTUAL_SECONDS: Final = 0.005
# A time-out in which the other machine had less than this share of its time is ours.
_FAIR_SHARE: Final = 0.5


class LoopClock:
    """Seconds in which the running loop turned; only differences mean anything, and only between `begin` and `end`.

    `on_tick` is called a hundred times a second meanwhile, and told whether the loop is late.
    """

    def __init__(self, on_tick: Callable[[bool], None] | None = None) -> None:
        self.stood_still = 0.0
        """For how many seconds the loop did, while the clock ticked."""
        self._on_tick = on_tick
        self._users = 0
        self._due = math.inf
        self._timer: asyncio.TimerHandle | None = None
        # Of its own: the clock may tick for longer than the request that it began with.
        self._context = contextvars.Context()

    def begin(self) -> None:
        """Let the clock tick until `end` was called as often."""
        self._users += 1
        if self._timer is None:
            self._arm(asyncio.get_running_loop())

    def end(self) -> None:
        """Let the clock tick no more, unless for others."""
        self._users -= 1
        if not self._users and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._due = math.inf

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Let the clock tick while the block runs; blocks may overlap."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def now(self) -> float:
        """Return the clock's seconds."""
        now = time.monotonic()
        late = now - self._due
        return now - self.stood_still - (late if late > _PUNCTUAL_SECONDS else 0)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.monotonic() + _TICK_SECONDS
        self._timer = loop.call_later(_TICK_SECONDS, self._tick, loop, context=self._context)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        late = time.monotonic() - self._due
        is_late = late > _PUNCTUAL_SECONDS
        if is_late:
            self.stood_still += late
        self._arm(loop)
        if self._on_tick:
            self._on_tick(is_late)


def is_our_delay(clock: LoopClock, took: float, stood_still: float, seconds: float) -> bool:
    """Tell whether a time-out of `seconds` is our own doing, in which the other machine `took` so many of them.

    `stood_still` is what the clock had stood still for when it began.
    """
    return clock.stood_still - stood_still > LATE_SECONDS and took < seconds * _FAIR_SHARE
