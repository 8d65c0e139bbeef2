"""How long to wait for another machine, in fairness to it.

Owns the time-out in which lateness of our own event loop does not count: after a pause of this process (a busy
computer, a suspended one, a stopped container) timers are due before what arrived meanwhile has been read, and the
other side would be blamed for our own standing still.
Never cancels before the time is up, and never waits for more than twice the time.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol

LATE_SECONDS: Final = 0.1
"""A loop that is later than this was held up by something; timers of a healthy one are late by a few milliseconds."""
_EARLY_SECONDS: Final = 0.001
"""As much earlier than asked for uvloop's timers may come."""


class Patience(Protocol):
    """The time of another machine."""

    def hold(self) -> None:
        """Let time pass: it is not the other machine that is waited for."""

    def begin_anew(self) -> None:
        """Give the other machine its whole time from now on."""


class RemoteTimer:
    """Calls `on_due` where another machine took longer than it was given; it needs a running loop.

    Where the loop was late by then, as much again is waited, once. One timer of the loop serves one wait after the
    other: it looks when it comes whether that of its wait is still going on, so a short wait costs nothing.
    """

    __slots__ = ("_comes_at", "_due", "_handle", "_is_longer", "_loop", "_on_due", "_seconds")

    def __init__(self, on_due: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_due = on_due
        self._seconds = 0.0
        self._due: float | None = None
        self._is_longer = False
        self._handle: asyncio.TimerHandle | None = None
        self._comes_at = 0.0

    def give(self, seconds: float, *, until: float | None = None) -> None:
        """Give it `seconds` from now on, or what is left of them `until` a time of the loop's clock."""
        self._seconds = seconds
        self._due = due = self._loop.time() + seconds if until is None else until
        self._is_longer = False
        if self._handle is None or due < self._comes_at:
            self._come_at(due)

    def hold(self) -> None:
        """Let time pass: it is not the other machine that is waited for."""
        self._due = None

    def begin_anew(self) -> None:
        """Give the other machine its whole time from now on."""
        self.give(self._seconds)

    def stop(self) -> None:
        """Come no more."""
        self._due = None
        if self._handle:
            self._handle.cancel()
            self._handle = None

    def _come_at(self, due: float) -> None:
        if self._handle:
            self._handle.cancel()
        self._comes_at = due
        self._handle = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._due is None:
            return
        late = self._loop.time() - self._due
        if late < -_EARLY_SECONDS:
            self._come_at(self._due)
        elif late > LATE_SECONDS and not self._is_longer:
            self._is_longer = True
            self._due += late + min(late, self._seconds)
            self._come_at(self._due)
        else:
            self._due = None
            self._on_due()


class RemoteTimeout:
    """As `asyncio.timeout(seconds)`, with the time of a RemoteTimer.

    Raises TimeoutError at the end of its block, as `asyncio.timeout` does. While the block waits for somebody else, the
    time is held; it begins anew with whatever the other machine is to do next.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(None)
        self._timer: RemoteTimer | None = None

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        self._timer = RemoteTimer(lambda: self._limit.reschedule(0))
        self._timer.give(self._seconds)

    def hold(self) -> None:
        """Let time pass: it is not the other machine that is waited for."""
        if self._timer:
            self._timer.hold()

    def begin_anew(self) -> None:
        """Give the other machine its whole time from now on; after the block, do nothing."""
        if self._timer:
            self._timer.begin_anew()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer:
            self._timer.stop()
            self._timer = None
        await self._limit.__aexit__(kind, error, traceback)


def is_late(since: float, seconds: float) -> bool:
    """Tell whether a timer of `seconds`, started at `since` of the running loop's clock, came late to its end."""
    return asyncio.get_running_loop().time() - since > seconds + LATE_SECONDS
