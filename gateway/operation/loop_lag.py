"""How late the event loop is: everybody's requests wait that long.

Owns the measuring: a sleep that should end at a moment, and when it did.
Never says what held the loop up.
"""

import asyncio
from collections.abc import Callable
from typing import Final

_EVERY_SECONDS: Final = 1.0


async def watch_the_loop(on_lag: Callable[[float], None], *, every: float = _EVERY_SECONDS) -> None:
    """Tell by how many seconds the loop was late, again and again, until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        on_lag(max(0.0, loop.time() - due))
