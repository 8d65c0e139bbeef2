"""The threads in which token requests run: a share for each purpose, so that none of them starves another.

Owns the shares and their sizes, the bulkhead before the threads, and the circuit breaker of each purpose.
Never knows what runs in a thread: that is MSAL's, which `entra.py` hands in.

Why threads of our own: blocking calls in the default executor starve `getaddrinfo` for the whole process.
Why a share for each purpose: an authority that is slow with refreshes is no reason for a sign-in to wait.
Why a breaker: an authority that is slow holds a thread for ten seconds a call; once that is known, nobody else waits.
How many threads: docs/explanation/decisions/2026-11-26-bulkheads.md has what was measured.
"""

import asyncio
import contextvars
import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from servicekit.breaker import BreakerOpen, CircuitBreaker
from servicekit.bulkhead import Bulkhead, BulkheadLimits
from servicekit.errors import AuthorityNotAsked, AuthorityThrottles, AuthorityUnavailable
from servicekit.logs import log_event
from servicekit.remote_timeout import RemoteTimeout
from servicekit.throttling import Throttling

T = TypeVar("T")

# More than the transport's time-outs together: only an answer whose head trickles takes longer.
CALL_SECONDS: Final = 20
FAILURES: Final = 5
OPEN_SECONDS: Final = 3
LONGEST_HOLD: Final = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What token requests are for, and the share that they have: threads (started as they are needed) and a queue."""

    name: str
    limits: BulkheadLimits


SIGN_IN: Final = Purpose("sign-in", BulkheadLimits(places=24, waiting=400, seconds=5))
"""A person comes back from the authority, and waits."""
REFRESH: Final = Purpose("refresh", BulkheadLimits(places=64, waiting=2000, seconds=15))
"""A person's token has ended, and their request waits; many at once, where many come back after a pause."""
RENEWAL: Final = Purpose("renewal", BulkheadLimits(places=12, waiting=1000, seconds=5))
"""A token is renewed beside its use, and nobody waits."""
ON_BEHALF_OF: Final = Purpose("on-behalf-of", BulkheadLimits(places=64, waiting=1000, seconds=5))
"""The resource API exchanges a caller's token."""
MOST_THREADS: Final = sum(purpose.limits.places for purpose in (SIGN_IN, REFRESH, RENEWAL, ON_BEHALF_OF))


class TokenThreads:
    """The share of one purpose; `now` is a monotonic clock in seconds.

    After five failures in a row calls are refused at once; then one call finds out, and its success lets everyone in
    again. Where the last of the five asked for a pause (`Retry-After`), it has that, a minute at most. A 429 is no
    failure: it is about whoever was told. Only where it was told to three different callers in a row, everybody leaves
    the authority alone for as long as the last of them was told, a minute at most.
    `on_pause` is called with True when that begins, and with False when it is over.
    """

    def __init__(
        self, purpose: Purpose, *, now: Callable[[], float], on_pause: Callable[[bool], None] | None
    ) -> None:
        self._purpose = purpose
        self._pool = ThreadPoolExecutor(purpose.limits.places, thread_name_prefix=f"msal-{purpose.name}")
        self._bulkhead = Bulkhead(f"token requests ({purpose.name})", purpose.limits)
        self._throttling = Throttling(now=now)
        self._breaker = CircuitBreaker(
            now=now, failures=FAILURES, open_seconds=OPEN_SECONDS, on_turn=on_pause
        )

    async def run(self, work: Callable[[], T], *, who: object) -> T:
        """Run `work`, which asks the authority, in a thread and return its value; `who` is whom a 429 holds.

        Raises Overloaded where no thread is free in time, AuthorityNotAsked after failures, otherwise what `work`
        raises. A cancelled caller stops waiting, `work` itself runs on.
        """
        self.refuse_while_paused()
        await self._bulkhead.enter()
        try:
            attempt = self._breaker.attempt(_is_outage)
            with attempt:
                answer = await self._in_thread(work)
        except BreakerOpen:
            self._bulkhead.leave()
            raise self._refusal() from None
        except AuthorityUnavailable as error:
            self._note(error, who)
            raise
        self._throttling.answered()
        return answer

    def refuse_while_paused(self) -> None:
        """Raise AuthorityNotAsked where a call would be refused at this moment."""
        if self._breaker.is_open:
            raise self._refusal()

    def take_no_more(self) -> None:
        """Refuse new calls and those that wait for a thread."""
        self._bulkhead.close()

    def close(self) -> None:
        """Let running calls finish and refuse new ones."""
        self.take_no_more()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _refusal(self) -> AuthorityNotAsked:
        wait = max(1, math.ceil(self._breaker.seconds_left))
        return AuthorityNotAsked("token requests failed a moment ago", retry_after=wait)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run in the pool; the place is given back when the thread is done, whoever still waits for it."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, contextvars.copy_context().run, work)
        future.add_done_callback(self._done)
        try:
            async with RemoteTimeout(CALL_SECONDS):
                return await asyncio.shield(future)
        except TimeoutError as error:
            raise AuthorityUnavailable("a token request takes too long") from error

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._bulkhead.leave()
        if not future.cancelled():
            future.exception()  # whoever waited has it; nobody may be left to ask

    def _note(self, error: AuthorityUnavailable, who: object) -> None:
        """Do as the authority asks, and tell when nobody is let through any more."""
        is_for_all = isinstance(error, AuthorityThrottles) and self._throttling.note(who)
        if is_for_all or (self._breaker.is_open and error.retry_after):
            self._breaker.hold(min(error.retry_after or OPEN_SECONDS, LONGEST_HOLD))
        if self._breaker.is_open:
            seconds = round(self._breaker.seconds_left, 1)
            log_event(
                _log,
                logging.WARNING,
                "token-requests-paused",
                reason=error.reason,
                seconds=seconds,
                purpose=self._purpose.name,
            )


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, AuthorityUnavailable) and not isinstance(error, AuthorityThrottles)
