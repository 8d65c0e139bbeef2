"""A bulkhead: how many may do one kind of thing at once, how many may wait for a place, and for how long.

Owns the places and the queue before them. What waits here waits for ourselves, and whoever finds no place is told so:
never that somebody else is at fault, and no circuit breaker hears of it.
Never knows what is done in a place.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from servicekit.errors import Overloaded
from servicekit.logs import log_event
from servicekit.places import Places

LOG_SECONDS: Final = 10
"""How often the log is told of a bulkhead that is full, at most."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BulkheadLimits:
    """How many may be inside and how many may wait, and how long one of them waits (s)."""

    places: int
    waiting: int
    seconds: float


class Bulkhead:
    """Places for what `name` says, in the order of arrival."""

    def __init__(self, name: str, limits: BulkheadLimits) -> None:
        self._name = name
        self._limits = limits
        self._places = Places(limits.places)
        self._waiting = 0
        self._is_closed = False
        self._logged_at: float | None = None

    def enter_at_once(self) -> bool:
        """Take a place if one is free, and tell whether it was; it costs no turn of the event loop."""
        return not self._is_closed and self._places.take_at_once()

    async def enter(self) -> None:
        """Take a place, which `leave` gives back; raises Overloaded where there is none in time, or no room to wait."""
        self._refuse_if_closed()
        if self._places.take_at_once():
            return
        if self._waiting >= self._limits.waiting:
            raise self._refusal(f"no place, and {self._waiting} wait")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._places.take()
        except TimeoutError as error:
            raise self._refusal(f"no place within {self._limits.seconds:g} s") from error
        finally:
            self._waiting -= 1
        try:
            self._refuse_if_closed()  # meanwhile
        except Overloaded:
            self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self._places.give_back()

    def close(self) -> None:
        """Let nobody in any more, whoever waits included; those who are inside stay until they leave."""
        self._is_closed = True

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise self._refusal("closed")

    def _refusal(self, reason: str) -> Overloaded:
        now = asyncio.get_running_loop().time()
        if self._logged_at is None or now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            log_event(_log, logging.WARNING, "bulkhead-full", bulkhead=self._name, reason=reason)
        return Overloaded(f"{self._name}: {reason}")
