"""A connection to Redis that many commands share: the reads of a process, or its writes that may happen twice.

Commands of one turn of the event loop go out in one write, and a command costs a future and no more: no place in a
pool, no timer, no task. One clock watches whatever is under way.
Owns when this connection is made and left, and what is sent once more on the next one when it breaks: everything, once,
as nothing else comes by here. Of a fault everybody who waits hears at once, and the breaker once.
Never knows a command, and never chooses a server: redis-py's connections do that.
"""

import asyncio
import contextvars
import copy
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.counts import Counts
from gateway.store.redis.batch import Batch, Entry, Waiting
from gateway.store.redis.budget import Budget, RedisLimits
from gateway.store.redis.loop_clock import LoopClock, is_our_delay
from gateway.store.redis.places import OwnDelay
from gateway.store.redis.wire import Wire
from servicekit.breaker import CircuitBreaker
from servicekit.remote_timeout import RemoteTimeout

_PARTING_SECONDS: Final = 0.1


class Along(Protocol):
    """What is asked with the commands of others now and then."""

    def wanted(self) -> tuple[Waiting, bytes] | None:
        """Return who waits and what for; None where nothing is to be asked."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What a shared connection is made with: a connection of redis-py's, not connected; and how idle ones are left."""

    connection: Callable[[], Awaitable[AbstractConnection]]
    leave: Callable[[], Awaitable[None]]


class SharedConnection:
    """Sends commands that may happen twice, and returns futures of their answers.

    `breaker` is that of the server, which hears of each connection that breaks or cannot be made, and of answers.
    """

    def __init__(self, ways: Ways, breaker: CircuitBreaker, *, limits: RedisLimits, counts: Counts) -> None:
        self._ways = ways
        self._breaker = breaker
        self._limits = limits
        self._counts = counts
        self.along: Along | None = None
        self.clock = LoopClock(self._look)
        """The clock of what is under way."""
        self._is_ticking = False
        self._was_late = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wire: Wire | None = None
        self._making: asyncio.Task[None] | None = None
        self._gathered: Batch | None = None
        # What waits for a connection, or for room in it.
        self._unsent: deque[Batch] = deque()
        self._is_closed = False

    def send(self, command: bytes, budget: Budget | None = None) -> asyncio.Future[Any]:
        """Send a packed command with the others of this turn; return the future of its answer.

        It raises RedisError: what the server says to this command, or what befell the connection twice. `budget` is
        charged with what it took; without one the command is not counted either. Whoever waits no more cancels it.
        """
        batch = self._gathered
        if batch is None:
            batch = self._begin()
        future: asyncio.Future[Any] = self._loop.create_future()  # type: ignore[union-attr]  # there is a batch
        batch.entries.append((future, command, budget))
        return future

    async def leave(self) -> None:
        """Leave the server: what is under way is asked again where the next connection leads."""
        self.leave_now()

    def leave_now(self) -> None:
        """Do the same without waiting for anything."""
        if self._wire is not None:
            self._leave(self._wire)
            self._send_again()

    async def aclose(self) -> None:
        """Close the connection for good; who waits is told."""
        self._is_closed = True
        if self._is_ticking:
            self._is_ticking = False
            self.clock.end()
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait([self._making])
        wire = self._wire
        if wire is not None:
            self._leave(wire)
        self._fail(RedisConnectionError("the gateway ends"))
        if wire is not None:
            await asyncio.wait([wire.closed], timeout=_PARTING_SECONDS)

    # Sending

    def _begin(self) -> Batch:
        loop = self._loop = asyncio.get_running_loop()
        if not self._is_ticking:
            self._is_ticking, self._was_late = True, False
            self.clock.begin()
        batch = self._gathered = Batch(self.clock.now(), self.clock.stood_still)
        loop.call_soon(self._flush)
        if self.along and (asked := self.along.wanted()):
            batch.entries.append((*asked, None))
        return batch

    def _flush(self) -> None:
        batch, self._gathered = self._gathered, None
        if batch is None:
            return
        self._unsent.append(batch)
        self._send_unsent()
        batch.has_waited = batch in self._unsent

    def _send_unsent(self) -> None:
        if self._is_closed:
            self._fail(RedisConnectionError("the gateway has ended"))
        elif self._wire is None and self._unsent and self._making is None:
            self._making = self._loop.create_task(self._make(), context=contextvars.Context())  # type: ignore[union-attr]  # something was asked
        while self._unsent and self._wire is not None and not self._wire.is_full:
            batch = self._unsent.popleft()
            batch.begin_try(self.clock)
            self._wire.write(batch)

    def _send_again(self) -> None:
        """Send what is left of the batches that were sent before, and what waits."""
        left = []
        for batch in self._unsent:
            if entries := batch.waiting():
                batch.entries, batch.answered, batch.refused = entries, 0, 0
                left.append(batch)
        self._unsent = deque(left)
        self._send_unsent()

    # The connection

    async def _make(self) -> None:
        connection = None
        try:
            if self._breaker.is_open:
                await self._ways.leave()
            async with RemoteTimeout(self._limits.attempt):
                connection = await self._ways.connection()
                await _connect(connection)
        except (RedisError, OSError, TimeoutError) as error:
            self._making = None
            self._broken(_as_redis_says(error))
        except BaseException:
            self._making = None
            raise
        else:
            self._making = None
            self._wire = Wire(
                connection, on_answered=self._answered, on_room=self._send_unsent, on_over=self._wire_broken
            )
            connection = None
            self._send_again()
        finally:
            if connection is not None:
                await connection.disconnect(nowait=True)

    def _leave(self, wire: Wire) -> None:
        """Give a connection up; what it has not answered waits again, the oldest first."""
        wire.close()
        self._wire = None
        self._unsent.extendleft(reversed(wire.sent))
        wire.sent.clear()

    def _wire_broken(self, wire: Wire, fault: RedisError) -> None:
        self._leave(wire)
        self._broken(fault)

    def _broken(self, fault: RedisError) -> None:
        """Let those go on once who have not met a fault before, and tell the others."""
        ours, waits = False, False
        for batch in self._unsent:
            if entries := batch.waiting():
                waits = True
                if batch.has_met_fault:
                    ours |= self._tell(batch, entries, fault)
                batch.has_met_fault = batch.has_waited = True
        if waits and not ours:
            self._breaker.note(failed=True)
        self._send_again()

    # Answers, and none

    def _answered(self, batch: Batch) -> None:
        took = self.clock.now() - (batch.began if batch.has_waited else batch.sent)
        counted = 0
        for who, _, budget in batch.entries:
            if budget is not None and not who.cancelled():
                budget.remaining -= took
                budget.goes_first = True
                counted += 1
        self._breaker.note(failed=False)
        if batch.refused:
            self._counts.redis_asked("refused", took, batch.refused)
        if counted > batch.refused:
            self._counts.redis_asked("answered", took, counted - batch.refused)

    def _fail(self, fault: RedisError) -> None:
        """Tell everybody who waits for a connection."""
        batches, self._unsent = self._unsent, deque()
        for batch in batches:
            self._tell(batch, batch.waiting(), fault)

    def _tell(self, batch: Batch, entries: list[Entry], fault: RedisError) -> bool:
        """Tell those who wait what befell their commands; return whether we were too slow ourselves to ask."""
        took = self.clock.now() - batch.began
        ours = isinstance(fault, RedisTimeoutError) and is_our_delay(
            self.clock, took, batch.began_still, min(self._limits.command, self._limits.attempt)
        )
        if ours:
            fault = OwnDelay("the event loop stood still")
        counted = 0
        for who, _, budget in entries:
            if budget is not None:
                budget.spend(took)
                counted += 1
            error = copy.copy(fault)
            error.__cause__ = fault
            who.set_exception(error)
        if counted:
            self._counts.redis_asked("own-delay" if ours else "failed", 0 if ours else took, counted)
        return ours

    # The clock

    def _look(self, is_late: bool) -> None:  # noqa: FBT001 - as the clock calls it
        """Look whether what is under way takes too long; after a pause of ours only when the loop has turned once."""
        was_late, self._was_late = self._was_late, is_late
        wire = self._wire
        if not self._unsent and not (wire and wire.sent) and self._gathered is None:
            self._is_ticking = False
            self.clock.end()
        elif not is_late or was_late:
            if wire and wire.sent and wire.sent[0].is_overdue(self.clock, self._limits):
                wire.close()
                self._wire_broken(wire, RedisTimeoutError("Redis did not answer in time"))
            self._end_waits()

    def _end_waits(self) -> None:
        """Tell those who wait for a connection for too long."""
        while self._unsent and self._unsent[0].is_over(self.clock, self._limits):
            batch = self._unsent.popleft()
            self._tell(batch, batch.waiting(), RedisTimeoutError("Redis did not answer in time"))


async def _connect(connection: AbstractConnection) -> None:
    await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
    if await connection.can_read():
        raise RedisConnectionError("Redis said more than it was asked")


def _as_redis_says(error: Exception) -> RedisError:
    if isinstance(error, RedisError):
        return error
    as_redis: RedisError = (
        RedisTimeoutError("Redis did not answer in time")
        if isinstance(error, TimeoutError)
        else RedisConnectionError(type(error).__name__)
    )
    as_redis.__cause__ = error
    return as_redis
