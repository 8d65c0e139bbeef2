"""A fetched document that outlives the outages of the server it came from, and our own restarts.

Owns when to fetch: the first use waits, later uses start a refresh beside themselves once an hour, a value older
than a day is waited for, and the last good one stays in use while the other side fails (Microsoft's advice for
metadata and signing keys). One fetch runs at a time, whoever asks, and while there is nothing to serve a failure is
everybody's for a second, or for as long as the other side asks. With a store, an earlier life's document serves
where the first fetch fails; it is read exactly as a fetched one is, so that nothing gets in by way of the store.
Never fetches by itself, never on a timer, and never knows what the document is.
"""

import asyncio
import copy
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from servicekit.errors import AuthorityUnavailable
from servicekit.logs import log_event
from servicekit.problems import ProblemError

T = TypeVar("T")

REFRESH_SECONDS: Final = 3600
STALE_SECONDS: Final = 24 * 3600
RETRY_SECONDS: Final = 60
FAILED_SECONDS: Final = 1
LONGEST_HOLD: Final = 60
WAIT_SECONDS: Final = 3

_log = logging.getLogger(__name__)


class KnownGoodStore(Protocol):
    """Where documents lie between two lives of a process; its own troubles are its own, and never raised."""

    async def load(self, name: str) -> bytes | None:
        """Return what was saved under the name; None where there is nothing, or no telling."""

    async def save(self, name: str, document: bytes) -> None:
        """Keep a document, if that is possible now."""


class LastKnownGood(Generic[T]):
    """Remembers what `read` made of what `fetch` returned; `now` is a monotonic clock in seconds.

    `name` is what log lines and the store call it. `fetch` and `read` raise AuthorityUnavailable, or Misconfigured
    for a document that must not be used. `wait_seconds` is how long a use waits for a fetch while
    there is an old value.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Awaitable[bytes]],
        read: Callable[[bytes], T],
        *,
        now: Callable[[], float] = time.monotonic,
        store: KnownGoodStore | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._read = read
        self._now = now
        self._store = store
        self._wait_seconds = wait_seconds
        self._value: T | None = None
        self._fetched_at = 0.0
        self._not_before = 0.0
        self._failure: Exception | None = None
        self._task: asyncio.Task[T] | None = None
        self.fetches = 0
        """How many fetches have begun."""
        self.arrivals = 0
        """How many of them brought something good."""
        self.fault: ProblemError | None = None
        """Why the last fetch brought nothing good; None if it did."""

    async def get(self) -> T:
        """Return the value, fetched now if there is none; raises what the fetch raises only in that case."""
        if self._value is None:
            if self._failure is not None and self._now() < self._not_before:
                raise copy.copy(self._failure)
            return await self.refresh()
        age = self._now() - self._fetched_at
        if age >= REFRESH_SECONDS and self._now() >= self._not_before:
            task = self._fetch_task()
            if age >= STALE_SECONDS:
                # A fetch may consist of several calls; nobody who could be served waits for all of them.
                await asyncio.wait([task], timeout=self._wait_seconds)
        return self._value

    async def refresh(self) -> T:
        """Fetch now, or join the fetch that is under way; raises what it raises and keeps the old value then.

        A cancelled caller leaves the fetch running for the others.
        """
        return await asyncio.shield(self._fetch_task())

    @property
    def is_under_way(self) -> bool:
        """Whether a fetch runs at this moment, which `refresh` would join."""
        return self._task is not None

    def _fetch_task(self) -> asyncio.Task[T]:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._fetch_and_keep(), name=f"fetch {self._name}"
            )
            self._task.add_done_callback(self._fetched)
        return self._task

    async def _fetch_and_keep(self) -> T:
        self.fetches += 1
        self._failure = None
        self._not_before = self._now() + RETRY_SECONDS
        try:
            document = await self._fetch()
            value = self._read(document)
        except ProblemError as fault:
            self.fault = fault
            if self._value is not None or (stored := await self._stored(fault)) is None:
                self._remember(fault)
                raise
            # Old enough to be fetched anew as soon as that works.
            self._value, self._fetched_at = stored, self._now() - REFRESH_SECONDS
            return stored
        self._value, self._fetched_at = value, self._now()
        self.arrivals += 1
        self.fault = None
        if self._store:
            await self._store.save(self._name, document)
        return value

    def _remember(self, fault: Exception) -> None:
        """Let a failure count for a while, where it leaves us with nothing."""
        if self._value is None:
            pause = (fault.retry_after or 0) if isinstance(fault, AuthorityUnavailable) else 0
            self._failure = fault
            self._not_before = self._now() + max(FAILED_SECONDS, min(pause, LONGEST_HOLD))

    async def _stored(self, why: Exception) -> T | None:
        """Return what an earlier life left, if it is still good."""
        document = await self._store.load(self._name) if self._store else None
        if document is None:
            return None
        try:
            value = self._read(document)
        except ProblemError as fault:
            log_event(_log, logging.WARNING, "stored-copy-refused", what=self._name, reason=str(fault))
            return None
        log_event(_log, logging.WARNING, "stored-copy-in-use", what=self._name, reason=str(why))
        return value

    def _fetched(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if task.cancelled():
            return
        fault = task.exception()
        if fault is None:
            return
        expected = isinstance(fault, ProblemError)
        log_event(
            _log,
            logging.WARNING if expected else logging.ERROR,
            "refresh-failed",
            fault=None if expected else fault,
            what=self._name,
            reason=str(fault) if expected else type(fault).__name__,
            kept_the_old_one=self._value is not None,
        )
