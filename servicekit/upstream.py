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
from servicekit.outbound_error import PAUSED, OutboundError

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


class UpstreamPaused(OutboundError):
    """The upstream fails, and is left alone for `seconds`; `was_sent` says that the call may have reached it."""

    def __init__(self, seconds: int, *, was_sent: bool) -> None:
        super().__init__(PAUSED, maybe_done=was_sent, retry_after=seconds)


class Attempt:
    """A call that was let in, from then until `end`; a read may be given up by the others."""

    __slots__ = ("_cancelled_before", "_guard", "_is_given_up", "_probe", "_task")

    def __init__(self, guard: "UpstreamGuard", probe: object, task: "asyncio.Task[Any] | None") -> None:
        self._guard = guard
        self._probe = probe
        self._task = task
        self._cancelled_before = task.cancelling() if task else 0
        self._is_given_up = False

    def end(self, *, failed: bool | None) -> None:
        """Say how it ended: whether it failed, or None where that tells nothing of the upstream."""
        self._guard.leave(self, self._probe, failed=failed)

    def end_with(self, error: BaseException, judge: Judge) -> None:
        """Say by which error it ended; raises UpstreamPaused in its place where it was given up."""
        self.end(failed=judge(error) if isinstance(error, Exception) else None)
        if isinstance(error, asyncio.CancelledError) and self._was_given_up():
            raise self._guard.pause(was_sent=True) from None

    def give_up(self) -> None:
        """End it, wherever it waits."""
        if self._task and not self._is_given_up:
            self._is_given_up = True
            self._task.cancel()

    def _was_given_up(self) -> bool:
        """Tell whether that is all that it was cancelled by; to be asked once, when it is over."""
        return bool(self._task and self._is_given_up and self._task.uncancel() <= self._cancelled_before)


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
        self._reads: set[Attempt] = set()
        self._loop = asyncio.get_running_loop()
        self._finding_out: set[asyncio.Task[Any]] = set()

    def begin(self, *, is_read: bool) -> Attempt | None:
        """Let a call in at once, which costs no turn of the event loop; whoever has it must `end` it.

        None where it has to wait for a place, or to find out whether the upstream is back: that is for `run`.
        Raises UpstreamPaused.
        """
        if not self._breaker.is_closed:
            if self._breaker.is_open:
                raise self.pause()
            return None
        if not self._bulkhead.enter_at_once():
            return None
        attempt = Attempt(self, None, asyncio.current_task(self._loop) if is_read else None)
        if is_read:
            self._reads.add(attempt)
        return attempt

    async def run(
        self,
        send: Callable[[], Awaitable[T]],
        *,
        judge: Judge,
        is_read: bool,
        fails: Callable[[T], bool] | None = None,
    ) -> T:
        """Return what `send()` does; `is_read` says that it may be given up, and change nothing by that.

        `fails` tells of which results that they are a failure of the upstream, too.

        Raises Overloaded where no place is free in time, UpstreamPaused, and what `send` raises.
        """
        if attempt := self.begin(is_read=is_read):
            return await self._try(attempt, send, judge, fails)
        await self._bulkhead.enter()
        if is_read and self._breaker.is_half_open:
            return await self._find_out_beside(send, judge, fails)
        return await self._try(self._begun(is_read=is_read), send, judge, fails)

    def leave(self, attempt: Attempt, probe: object, *, failed: bool | None) -> None:
        """Hear how an attempt ended; for the attempt itself."""
        self._reads.discard(attempt)  # nobody gives it up any more
        self._breaker.end(probe, failed=failed)
        self._bulkhead.leave()

    def pause(self, *, was_sent: bool = False) -> UpstreamPaused:
        """Return what is raised while the upstream is left alone."""
        return UpstreamPaused(max(1, math.ceil(self._breaker.seconds_left)), was_sent=was_sent)

    async def close(self) -> None:
        """Give up what goes on beside its caller, and let nobody in any more."""
        self._bulkhead.close()
        await ended(*self._finding_out)

    def _begun(self, *, is_read: bool) -> Attempt:
        """Begin an attempt whose place is taken already."""
        try:
            probe = self._breaker.begin()
        except BreakerOpen:
            self._bulkhead.leave()
            raise self.pause() from None
        attempt = Attempt(self, probe, asyncio.current_task(self._loop) if is_read else None)
        if is_read:
            self._reads.add(attempt)
        return attempt

    async def _try(
        self,
        attempt: Attempt,
        send: Callable[[], Awaitable[T]],
        judge: Judge,
        fails: Callable[[T], bool] | None,
    ) -> T:
        try:
            result = await send()
        except BaseException as error:
            attempt.end_with(error, judge)
            raise
        attempt.end(failed=fails(result) if fails else False)
        return result

    async def _find_out_beside(
        self, send: Callable[[], Awaitable[T]], judge: Judge, fails: Callable[[T], bool] | None
    ) -> T:
        attempt = self._begun(is_read=False)  # it goes on, whoever gives up
        task = asyncio.create_task(self._try(attempt, send, judge, fails))
        self._finding_out.add(task)
        task.add_done_callback(self._found_out)
        await asyncio.wait({task}, timeout=FINDING_OUT_SECONDS)
        if not task.done():
            # The upstream may be back long before this one call is given up.
            self._breaker.wait_no_longer()
            raise self.pause(was_sent=True)
        return task.result()

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
        for read in self._reads:
            read.give_up()
