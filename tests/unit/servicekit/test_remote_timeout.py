"""The time of another machine: one timer for many waits, and no blame for our own standing still.

Time passes when a test says so, on an event loop of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from servicekit.remote_timeout import LATE_SECONDS, RemoteTimeout, RemoteTimer
from tests.stage.patience import PATIENCE


class ClockedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still."""

    now = 1_000.0

    def time(self) -> float:
        """Return what the clock shows."""
        return self.now

    async def passes(self, seconds: float) -> None:
        """Let so much time pass, and whatever is due by then run."""
        self.now += seconds
        for _ in range(3):
            await asyncio.sleep(0)


class Due:
    """Notes when a timer came."""

    def __init__(self) -> None:
        self.count = 0
        self.timer = RemoteTimer(self._came)

    def _came(self) -> None:
        self.count += 1


def told(story: Callable[[ClockedLoop], Awaitable[None]]) -> None:
    """Run a story on a loop of its own."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ClockedLoop)
        await story(loop)

    with asyncio.Runner(loop_factory=ClockedLoop) as runner:
        runner.run(run())


def test_a_timer_comes_when_the_time_is_over_and_once() -> None:
    async def story(loop: ClockedLoop) -> None:
        due = Due()
        due.timer.give(5)
        await loop.passes(4.9)
        assert due.count == 0
        await loop.passes(0.1)
        assert due.count == 1

        due.timer.hold()
        await loop.passes(PATIENCE)
        assert due.count == 1

    told(story)


def test_a_wait_that_is_shorter_than_the_last_one_ends_in_its_own_time() -> None:
    async def story(loop: ClockedLoop) -> None:
        due = Due()
        due.timer.give(PATIENCE)
        due.timer.hold()
        due.timer.give(1)

        await loop.passes(1)
        assert due.count == 1

    told(story)


def test_what_is_held_or_begun_anew_is_not_over() -> None:
    async def story(loop: ClockedLoop) -> None:
        due = Due()
        due.timer.give(3)
        for _ in range(4):
            await loop.passes(2.9)
            due.timer.begin_anew()
        due.timer.hold()
        await loop.passes(5)
        assert due.count == 0

        due.timer.begin_anew()
        due.timer.stop()
        await loop.passes(5)
        assert due.count == 0

    told(story)


@pytest.mark.parametrize("late, longer", [(0.5, 0.5), (2, 2), (50, 2)])
def test_R18_a_loop_that_stood_still_gives_as_much_time_again_once(late: float, longer: float) -> None:
    async def story(loop: ClockedLoop) -> None:
        due = Due()
        due.timer.give(2)
        await loop.passes(2 + late)
        assert due.count == 0
        await loop.passes(longer - 0.1)
        assert due.count == 0
        await loop.passes(0.1 + late)
        assert due.count == 1

    told(story)


def test_R18_a_loop_that_is_only_busy_gives_no_time_again() -> None:
    async def story(loop: ClockedLoop) -> None:
        due = Due()
        due.timer.give(2)
        await loop.passes(2 + LATE_SECONDS * 0.9)
        assert due.count == 1

    told(story)


def test_a_block_ends_by_a_time_out_and_a_cancellation_stays_one() -> None:
    async def block(seconds: float) -> None:
        async with RemoteTimeout(seconds):
            await asyncio.sleep(PATIENCE)

    async def story(loop: ClockedLoop) -> None:
        task = asyncio.create_task(block(1))
        await loop.passes(0)
        await loop.passes(1)
        with pytest.raises(TimeoutError):
            await task
        task = asyncio.create_task(block(PATIENCE))
        await loop.passes(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    told(story)
