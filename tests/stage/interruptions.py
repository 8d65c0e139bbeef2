"""What is to happen to a request that a test describes: hold it, cut it, lose its answer, kill who sent it.

Owns the descriptions. To one request they happen in the order in which they were given, until one of them ends it.
Never reads from a connection (`request_proxy.py` does), and waits for events: a test says what happens next.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from tests.stage.patience import PATIENCE

CUT: Final = b""
"""Instead of an answer: the connection is to be cut."""

R = TypeVar("R")
Matching = Callable[[R], bool]


class Interruption(Generic[R]):
    """What happens to the first `times` requests that match, to all of them where that is None."""

    def __init__(
        self,
        matching: Matching[R],
        act: Callable[[], Awaitable[bytes | None]],
        *,
        answered: bool,
        times: int | None,
    ) -> None:
        self.answered = answered
        self.met: list[R] = []
        """The requests that it happened to."""
        self._matching = matching
        self._act = act
        self._times = times
        self._struck = asyncio.Condition()

    async def reached(self, count: int = 1) -> None:
        """Wait until so many requests have met it."""
        async with asyncio.timeout(PATIENCE), self._struck:
            await self._struck.wait_for(lambda: len(self.met) >= count)

    def concerns(self, request: R) -> bool:
        """Tell whether it is this one's turn."""
        return (self._times is None or len(self.met) < self._times) and self._matching(request)

    async def strike(self, request: R) -> bytes | None:
        """Happen; return what is answered in its place, CUT for nothing at all, None when it goes on as it is."""
        self.met.append(request)
        async with self._struck:
            self._struck.notify_all()
        return await self._act()


class Hold(Interruption[R]):
    """Keeps what matches until it is released."""

    def __init__(self, matching: Matching[R], *, answered: bool, times: int | None) -> None:
        super().__init__(matching, self._keep, answered=answered, times=times)
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let through what is held, and whatever matches from here on."""
        self._released.set()

    async def _keep(self) -> None:
        await self._released.wait()


class Interruptions(Generic[R]):
    """All that is to happen; unless a number of `times` is said, to the first request that matches."""

    def __init__(self) -> None:
        self._interruptions: list[Interruption[R]] = []

    def heal(self) -> None:
        """Interrupt nothing any more; what is held stays held."""
        self._interruptions.clear()

    def hold(self, matching: Matching[R], *, answered: bool = False, times: int | None = 1) -> Hold[R]:
        """Keep what matches, and all behind it on its connection, until it is released; or only the answer."""
        held = Hold(matching, answered=answered, times=times)
        self._interruptions.append(held)
        return held

    def cut(self, matching: Matching[R], *, times: int | None = 1) -> Interruption[R]:
        """Cut the connection by which it comes; the server never hears of it."""
        return self._interrupt(matching, _cut, answered=False, times=times)

    def lose_answer(self, matching: Matching[R], *, times: int | None = 1) -> Interruption[R]:
        """Let the server do it, and cut the connection instead of answering."""
        return self._interrupt(matching, _cut, answered=True, times=times)

    def refuse(self, matching: Matching[R], answer: bytes, *, times: int | None = 1) -> Interruption[R]:
        """Answer in the server's place, which never hears of it."""

        async def refused() -> bytes:
            return answer

        return self._interrupt(matching, refused, answered=False, times=times)

    def watch(self, matching: Matching[R], *, answered: bool = False) -> Interruption[R]:
        """Only see it pass."""
        return self._interrupt(matching, _pass, answered=answered, times=None)

    def slow(self, matching: Matching[R], seconds: float, *, answered: bool = False) -> Interruption[R]:
        """Let it, or its answer, take so much longer each time."""

        async def wait() -> None:
            await asyncio.sleep(seconds)

        return self._interrupt(matching, wait, answered=answered, times=None)

    def kill(self, pid: int, matching: Matching[R], *, answered: bool = False) -> Interruption[R]:
        """Kill a process (SIGKILL) when it has sent this, or before it has the answer; then nothing goes on."""

        async def killed() -> bytes:
            os.kill(pid, signal.SIGKILL)
            return CUT

        return self._interrupt(matching, killed, answered=answered, times=1)

    def _interrupt(
        self,
        matching: Matching[R],
        act: Callable[[], Awaitable[bytes | None]],
        *,
        answered: bool,
        times: int | None,
    ) -> Interruption[R]:
        made = Interruption(matching, act, answered=answered, times=times)
        self._interruptions.append(made)
        return made

    async def meets(self, request: R, *, answered: bool) -> bytes | None:
        """Let happen what is to happen to a request, or to its answer.

        Returns what is answered in its place, CUT for nothing at all, or None when it goes on as it is.
        """
        for one in tuple(self._interruptions):
            if one.answered == answered and one.concerns(request):
                instead = await one.strike(request)
                if instead is not None:
                    return instead
        return None


async def _cut() -> bytes:
    return CUT


async def _pass() -> None:
    return
