"""How many refreshes there are at once, so that a thousand of them are nothing to whoever needs none.

Owns the places of a purpose, each for a session whose token is being replaced, and the turns: our own side of a refresh
is done in pieces, and behind each piece come turns of the event loop that are everybody else's. Whoever waits for the
authority, for Redis or for another process keeps nobody waiting.
Never knows what a refresh does, nor how many threads ask the authority: `servicekit/token_threads.py` does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from gateway.tokens.pace import Pace
from servicekit.bulkhead import Bulkhead
from servicekit.token_threads import Purpose

# Who waits for another process' refresh has a place, too, and so have those whose answer has come.
_PLACES_A_THREAD: Final = 1.25

# An answer from Redis takes four turns: it meets one or two pieces of refreshes. Three pieces are a refresh, so that
# turns of any length leave room for a hundred refreshes a second.
_PAUSE_TURNS: Final = 4
_LONGEST_PAUSE_SECONDS: Final = 0.003


class RefreshTurns:
    """The places and turns of one purpose.

    As many may wait for a place, and for as long, as for the purpose's threads; who has one finds a thread as a rule.
    """

    def __init__(self, purpose: Purpose) -> None:
        places = int(purpose.limits.places * _PLACES_A_THREAD)
        self._places = Bulkhead(f"refreshes ({purpose.name})", replace(purpose.limits, places=places))
        self._pace = Pace(_PAUSE_TURNS, _LONGEST_PAUSE_SECONDS)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Have a place while the block runs; raises Overloaded where there is none in time."""
        await self._places.enter()
        try:
            yield
        finally:
            self._places.leave()

    async def turn(self) -> None:
        """Wait until the next piece of this refresh may begin; one that is given up meanwhile holds nothing."""
        await self._pace.turn()
