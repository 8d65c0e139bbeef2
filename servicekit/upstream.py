"""What keeps one upstream apart from all others: its places, its queue and its circuit breaker.

Owns who may call, who waits, and who is told at once that it makes no sense: while an upstream hangs, its first callers
find out, and nobody after them waits for longer than a second.
Never sends anything by itself, and never reads meaning into an answer: whoever calls says what a failure is.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from servicekit.breaker import BreakerOpen, CircuitBreaker
from servicekit.bulkhead import Bulkhead, BulkheadLimits
from servicekit.cancellation import ended
from servicekit.logs import log_event

T = TypeVar("T")
Judge = Callable[[BaseException], bool | None]
"""Whether an exception is a failure of the upstream, or its answer; None where it says nothing of it."""

FAILURES: Final = 3
OPEN_SECONDS: Final = 1.0
FINDING_OUT_SECONDS: Final = 0.8
"""How long a caller waits who finds out whether the upstream is back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server that we call, by the name that metrics and the log have for it, and what it may cost us.

    `connections` are used at once, `waiting` calls wait for one for `wait_seconds`; `call_seconds` is the longest that
    one call takes. `open_replies` are those whose head is there and whose body is still read: they take no place from a
    call.
    """

    name: str
    call_seconds: float
    connections: int = 500
    waiting: int = 250
    wait_seconds: float = 0.8
    open_replies: int = 500


class UpstreamPaused(Exception):
    """The upstream fails, and is left alone for `seconds`; `was_sent` says that the call may have reached it."""

    def __init__(self, seconds: int, *, was_sent: bool) -> None:
        super().__init__("paused")
        self.seconds = seconds
        self.was_sent = was_sent


class UpstreamGuard:
    """Stands before one upstream; `now` is a monotonic clock in seconds.

    After three failures in a row, with no answer between them, calls are refused at once, and reads that are under way
    are given up. After a second one call finds out, and its success lets everyone in again. A read that finds out goes
    on beside its caller, who is refused when it takes long, and a second later another one finds out as well.
    `on_turn` is called with True when that begins, and with False when it is over.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        now: Callable[[], float],
        on_turn: Callable[[bool], None] | None = None,
    ) -> None:
        self._name = upstream.name
        self._bulkhead = Bulkhead(
            f"calls to {upstream.name}",
            BulkheadLimits(upstream.connections, upstream.waiting, upstream.wait_seconds),
        )
        self._breaker = CircuitBreaker(
            now=now, failures=FAILURES, open_seconds=OPEN_SECONDS, on_turn=self._turned
        )
        self._on_turn = on_turn
        self._reads: set[asyncio.Timeout] = set()
        self._finding_out: set[asyncio.Task[Any]] = set()

    async def run(self, send: Callable[[], Awaitable[T]], *, judge: Judge, is_read: bool) -> T:
        """Return what `send()` does; `is_read` says that it may be given up, and change nothing by that.

        Raises Overloaded where no place is free in time, UpstreamPaused, and what `send` raises.
        """
        if self._breaker.is_open:
            raise self._pause()
        await self._bulkhead.enter()
        if is_read and self._breaker.is_half_open:
            return await self._find_out_beside(send, judge)
        try:
            return await (self._read(send, judge) if is_read else self._try(send, judge))
        finally:
            self._bulkhead.leave()

    async def close(self) -> None:
        """Give up what goes on beside its caller, and let nobody in any more."""
        self._bulkhead.close()
        await ended(*self._finding_out)

    async def _try(self, send: Callable[[], Awaitable[T]], judge: Judge) -> T:
        try:
            with self._breaker.attempt(judge):
                return await send()
        except BreakerOpen:
            raise self._pause() from None

    async def _read(self, send: Callable[[], Awaitable[T]], judge: Judge) -> T:
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._reads.add(limit)
                return await self._try(send, judge)
        except TimeoutError:
            raise self._pause(was_sent=True) from None
        finally:
            self._reads.discard(limit)

    async def _find_out_beside(self, send: Callable[[], Awaitable[T]], judge: Judge) -> T:
        task = asyncio.create_task(self._find_out(send, judge))
        self._finding_out.add(task)
        task.add_done_callback(self._found_out)
        await asyncio.wait({task}, timeout=FINDING_OUT_SECONDS)
        if not task.done():
            # The upstream may be back long before this one call is given up.
            self._breaker.wait_no_longer()
            raise self._pause(was_sent=True)
        return task.result()

    async def _find_out(self, send: Callable[[], Awaitable[T]], judge: Judge) -> T:
        try:
            return await self._try(send, judge)
        finally:
            self._bulkhead.leave()

    def _found_out(self, task: asyncio.Task[Any]) -> None:
        self._finding_out.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits has it

    def _turned(self, is_open: bool) -> None:  # noqa: FBT001 - the breaker's own form
        if self._on_turn:
            self._on_turn(is_open)
        if not is_open:
            log_event(_log, logging.INFO, "upstream-answers-again", upstream=self._name)
            return
        log_event(
            _log, logging.WARNING, "upstream-paused", upstream=self._name, reads_given_up=len(self._reads)
        )
        now = asyncio.get_running_loop().time()
        for limit in self._reads:
            limit.reschedule(now)

    def _pause(self, *, was_sent: bool = False) -> UpstreamPaused:
        return UpstreamPaused(max(1, math.ceil(self._breaker.seconds_left)), was_sent=was_sent)
