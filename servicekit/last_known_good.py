"""A fetched value that outlives the outages of the server it came from.

Owns when to fetch: the first use waits, later uses start a refresh beside themselves once an hour, a value older
than a day is waited for, and the last good one stays in use while the other side fails (Microsoft's advice for
metadata and signing keys). One fetch runs at a time, whoever asks.
Never fetches by itself, never on a timer, and never knows what the value is.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from servicekit.authority_transport import AuthorityUnavailable
from servicekit.logs import log_event

T = TypeVar("T")

REFRESH_SECONDS: Final = 3600
STALE_SECONDS: Final = 24 * 3600
RETRY_SECONDS: Final = 60
WAIT_SECONDS: Final = 3

_log = logging.getLogger(__name__)


class LastKnownGood(Generic[T]):
    """Remembers what `fetch` returned; `name` is what log lines call it, `now` a monotonic clock in seconds.

    `fetch` raises AuthorityUnavailable, or a ValueError for an answer that must not be used.
    """

    def __init__(
        self, name: str, fetch: Callable[[], Awaitable[T]], *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._now = now
        self._value: T | None = None
        self._fetched_at = 0.0
        self._not_before = 0.0
        self._flight: asyncio.Task[T] | None = None
        self.fetches = 0

    async def get(self) -> T:
        """Return the value, fetched now if there is none; raises what the fetch raises only in that case."""
        if self._value is None:
            return await self.refresh()
        age = self._now() - self._fetched_at
        if age >= REFRESH_SECONDS and self._now() >= self._not_before:
            flight = self._take_off()
            if age >= STALE_SECONDS:
                # A fetch may consist of several calls; nobody who could be served waits for all of them.
                await asyncio.wait([flight], timeout=WAIT_SECONDS)
        return self._value

    async def refresh(self) -> T:
        """Fetch now, or join the fetch that is under way; raises what it raises and keeps the old value then.

        A cancelled caller leaves the fetch running for the others.
        """
        return await asyncio.shield(self._take_off())

    def _take_off(self) -> asyncio.Task[T]:
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._fly(), name=f"fetch {self._name}")
            self._flight.add_done_callback(self._landed)
        return self._flight

    async def _fly(self) -> T:
        self.fetches += 1
        self._not_before = self._now() + RETRY_SECONDS
        value = await self._fetch()
        self._value, self._fetched_at = value, self._now()
        return value

    def _landed(self, flight: asyncio.Task[T]) -> None:
        self._flight = None
        if flight.cancelled():
            return
        fault = flight.exception()
        if fault is None:
            return
        expected = isinstance(fault, AuthorityUnavailable | ValueError)
        log_event(
            _log,
            logging.WARNING if expected else logging.ERROR,
            "refresh-failed",
            fault=None if expected else fault,
            what=self._name,
            reason=str(fault) if expected else type(fault).__name__,
            kept_the_old_one=self._value is not None,
        )
