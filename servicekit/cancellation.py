"""Ends of tasks: cancelled until they have ended.

Owns that a cancellation which was lost is asked for again. `asyncio.wait_for` of Python 3.11 returns what came in the
same moment instead of being cancelled, and redis-py sends its commands by it; a task that loops on would be waited for
without end.
Never raises what a task ended with, and never waits for one that is not to end.
"""

import asyncio
from typing import Any, Final

AGAIN_SECONDS: Final = 0.5
"""So long a task has for its own tidying up before it is asked once more."""


async def ended(*tasks: asyncio.Task[Any] | None, again: float = AGAIN_SECONDS) -> None:
    """Cancel tasks, and return when all of them have ended, in whatever way."""
    going_on = {task for task in tasks if task is not None}
    while going_on:
        for task in going_on:
            task.cancel()
        over, going_on = await asyncio.wait(going_on, timeout=again)
        for task in over:
            if not task.cancelled():
                task.exception()  # nobody else asks
