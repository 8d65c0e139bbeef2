"""How long to wait for another machine, in fairness to it.

Owns the time-out in which lateness of our own event loop does not count: after a pause of this process (a busy
computer, a suspended one, a stopped container) timers are due before what arrived meanwhile has been read, and the
other side would be blamed for our own standing still.
Never cancels before the time is up, and never waits for more than twice the time.
"""

import asyncio
from types import TracebackType
from typing import Final

LATE_SECONDS: Final = 0.1
"""A loop that is later than this was held up by something; timers of a healthy one are late by a few milliseconds."""


class RemoteTimeout:
    """As `asyncio.timeout(seconds)`, but where the loop was late at the end, as much again is waited, once.

    Raises TimeoutError at the end of its block, as `asyncio.timeout` does. While the block waits for somebody else, the
    time is held; it begins anew with whatever the other machine is to do next.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self.begin_anew()

    def hold(self) -> None:
        """Let time pass: it is not the other machine that is waited for."""
        if self._timer:
            self._timer.cancel()

    def begin_anew(self) -> None:
        """Give the other machine its whole time from now on; after the block, do nothing."""
        self.hold()
        if not self._is_over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._due, loop, loop.time() + self._seconds)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        self.hold()
        await self._limit.__aexit__(kind, error, traceback)

    def _due(self, loop: asyncio.AbstractEventLoop, due_at: float) -> None:
        late = loop.time() - due_at
        if late > LATE_SECONDS:
            self._timer = loop.call_later(min(late, self._seconds), self._limit.reschedule, 0)
        else:
            self._limit.reschedule(0)


def is_late(since: float, seconds: float) -> bool:
    """Tell whether a timer of `seconds`, started at `since` of the running loop's clock, came late to its end."""
    return asyncio.get_running_loop().time() - since > seconds + LATE_SECONDS
