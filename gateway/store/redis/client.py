"""Clients of Redis whose every command is bounded.

Owns what a command passes on its way: the line for a connection, the circuit breaker, the request's budget and at most
one more try. With redis-py's defaults a silent server costs 58 s, and a command that takes something may be
sent twice.
Never knows what a command is for, never decides what a fault means to a person, and never chooses a server.

Only what may happen twice is tried again: reads, and writes that say the same again. Of another write that timed out
nobody knows whether it happened; it is tried again only when Redis said that it did not (READONLY).
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, NoReturn, TypeVar

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import (
    ConnectionError,  # noqa: A004 - redis-py's own, which is not Python's
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.counts import Counts
from gateway.store.redis.budget import LIMITS, Budget, RedisLimits, current_budget
from gateway.store.redis.exchange import exchange
from gateway.store.redis.loop_clock import LoopClock, is_our_delay
from gateway.store.redis.outages import is_outage
from gateway.store.redis.packing import packed
from gateway.store.redis.places import OwnDelay, Places
from gateway.store.redis.reads import Reads
from gateway.store.redis.script_calls import NOT_BY_SHA1, ScriptCall, ScriptForm
from gateway.store.redis.shared_commands import SharedCommands
from gateway.store.scripts import READ_ONLY, REPEATABLE, REPEATABLE_SHA1
from servicekit.breaker import BreakerOpen, CircuitBreaker
from servicekit.remote_timeout import RemoteTimeout

CONNECTIONS: Final = 50
WAIT_MILLISECONDS: Final = 300
_LONGEST_SHARED: Final = 65_536
"""Of a command's bytes: what is longer, as a body that waits for its person, would hold up those behind it."""
_READS: Final = frozenset({"EXISTS", "GET", "HGET", "HKEYS", "HMGET", "PING", "ZRANGEBYSCORE"})
_SAY_THE_SAME: Final = frozenset({"ZREM"})
_T = TypeVar("_T")


class RedisGuard:
    """What every command passes on its way."""

    def __init__(
        self,
        breaker: CircuitBreaker,
        *,
        limits: RedisLimits = LIMITS,
        places: Places | None = None,
        counts: Counts | None = None,
    ) -> None:
        self._breaker = breaker
        self._counts = counts or Counts()
        self._limits = limits
        self._places = places or Places(CONNECTIONS)
        self._clock = LoopClock()

    @property
    def breaker(self) -> CircuitBreaker:
        """The breaker that the commands of this server pass."""
        return self._breaker

    async def run(
        self,
        work: Callable[[], Awaitable[_T]],
        *,
        again: bool = False,
        leave: Callable[[], Awaitable[None]] | None = None,
    ) -> _T:
        """Return what `work` returns; raises RedisError whatever goes wrong, OwnDelay where Redis had no part in it.

        `again` allows a second try; `leave` drops idle connections, and is called when there is reason to believe
        that they lead to the wrong server or to none.
        """
        budget = current_budget() or Budget(self._limits.attempt)
        if budget.remaining <= 0:
            raise RedisTimeoutError("this request has waited for Redis long enough")
        if self._breaker.is_open:
            return self._refuse()
        try:
            async with self._places.taken(first=budget.goes_first):
                with self._clock.ticking():
                    return await self._measured(work, budget, again=again, leave=leave)
        except OwnDelay:
            self._counts.redis_asked("own-delay", 0)
            raise

    async def _measured(
        self,
        work: Callable[[], Awaitable[_T]],
        budget: Budget,
        *,
        again: bool,
        leave: Callable[[], Awaitable[None]] | None,
    ) -> _T:
        """Count what the command took of Redis' own time, and let the breaker judge by how it ended."""
        began, stood_still, outcome = self._clock.now(), self._clock.stood_still, "failed"
        seconds = min(self._limits.attempt, budget.remaining)
        try:
            with self._breaker.attempt(is_outage):
                try:
                    answer = await _bounded(work, seconds, again=again, leave=leave)
                except RedisTimeoutError as error:
                    took = self._clock.now() - began
                    if is_our_delay(self._clock, took, stood_still, min(self._limits.command, seconds)):
                        outcome = ""
                        raise OwnDelay("the event loop stood still") from error
                    raise
                outcome = "answered"
                return answer
        except BreakerOpen:
            outcome = ""
            return self._refuse()
        except RedisError as error:
            if outcome == "failed" and not is_outage(error):
                outcome = "refused"
            if leave and self._breaker.is_open:
                await leave()
            raise
        finally:
            took = self._clock.now() - began
            budget.spend(took)
            if outcome:
                self._counts.redis_asked(outcome, took)

    def _refuse(self) -> NoReturn:
        self._counts.redis_asked("not-sent", 0)
        raise ConnectionError("Redis failed a moment ago")


async def _bounded(
    work: Callable[[], Awaitable[_T]],
    seconds: float,
    *,
    again: bool,
    leave: Callable[[], Awaitable[None]] | None,
) -> _T:
    try:
        async with RemoteTimeout(seconds):
            return await _tried(work, again=again, leave=leave)
    except TimeoutError as error:
        raise RedisTimeoutError("Redis did not answer in time") from error
    except (OSError, RedisClusterException) as error:
        raise ConnectionError(type(error).__name__) from error


async def _tried(
    work: Callable[[], Awaitable[_T]], *, again: bool, leave: Callable[[], Awaitable[None]] | None
) -> _T:
    try:
        return await work()
    except ResponseError as error:
        if not leave or not _is_read_only(error):
            raise
        await leave()
    except (ConnectionError, RedisTimeoutError):
        if not again:
            raise
    return await work()


def may_happen_twice(command: Sequence[Any]) -> bool:
    """Tell whether a command may be sent again when nobody knows whether it happened."""
    name = command[0]
    if name == "EVAL":
        return command[1] in REPEATABLE
    if name == "EVALSHA":
        return command[1] in REPEATABLE_SHA1
    return name in _READS or name in _SAY_THE_SAME or (name == "SET" and "NX" not in command[3:])


def _is_read_only(error: BaseException) -> bool:
    return isinstance(error, ReadOnlyError) or (isinstance(error, ResponseError) and "READONLY" in str(error))


class GuardedRedis(Redis):
    """A client of one server, or of the master that Sentinel names."""

    guard: RedisGuard
    form: ScriptForm
    reads: Reads
    writes: SharedCommands
    has_slots: ClassVar[bool] = False
    """Whether a script may only touch keys of one slot."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command by way of the guard; `options` say how redis-py reads its answer."""
        name, *words = args
        command = packed(*name.split(), *words)
        again = may_happen_twice(args)
        answer = await self.guard.run(lambda: self._answer(command), again=again, leave=self.leave)
        options.pop("keys", None)  # which only a cache of redis-py's would look at
        read = self.response_callbacks.get(name)
        return read(answer, **options) if read else answer

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> NoReturn:  # noqa: FBT001, FBT002 - redis-py's signature
        """Refuse: a pipeline of redis-py's would not pass the guard."""
        raise NotImplementedError

    async def run_script(self, call: ScriptCall) -> Any:
        """Run a script; what may happen twice goes by a connection that others share: one for reads, one for writes.

        A write that Redis holds, as it does while it hands over to a replica, holds up no read then.
        """
        if call.script not in REPEATABLE:
            (answer,) = await self.run_all((call,))
            return answer
        shared = self.reads if call.script in READ_ONLY else self.writes
        return await self.form.run(
            lambda by_sha1: self._ask_by(shared, packed(*call.command(by_sha1=by_sha1)))
        )

    async def _ask_by(self, shared: SharedCommands, command: bytes) -> Any:
        """Return the answer to a command that may happen twice; a large one holds up none but those of its pool."""
        if len(command) > _LONGEST_SHARED:
            return await self.guard.run(lambda: self._answer(command), again=True, leave=self.leave)
        try:
            return await shared.ask(command)
        except ResponseError as error:
            if not _is_read_only(error):
                raise
            await self.leave()
        return await shared.ask(command)

    async def run_together(
        self,
        before: Sequence[ScriptCall],
        main: ScriptCall,
        after: Sequence[ScriptCall] = (),
        *,
        replicas: int | None = None,
    ) -> tuple[Any, bool, list[Any]]:
        """Run scripts in this order, in one round trip.

        Returns what `main` returns, whether `replicas` have it, and what the scripts `before` return. `after` must look
        by itself whether `main` did what it should. WAIT counts what the same connection wrote, so it goes along.
        """
        wait = () if replicas is None else ("WAIT", replicas, WAIT_MILLISECONDS)
        answers = await self.run_all((*before, main, *after), wait)
        reached = replicas is None or int(answers[-1]) >= replicas
        return answers[len(before)], reached, answers[: len(before)]

    async def run_all(self, calls: Sequence[ScriptCall], last: Sequence[Any] = ()) -> list[Any]:
        """Run scripts in this order, and the command `last`, in one round trip; return what each returns."""
        again = all(call.script in REPEATABLE for call in calls)

        async def send(commands: list[tuple[Any, ...]]) -> list[Any]:
            words = [packed(*command) for command in ((*commands, last) if last else commands)]
            return await self.guard.run(lambda: self._exchange(words), again=again, leave=self.leave)

        return await self.form.run_all(calls, send)

    async def _answer(self, command: bytes) -> Any:
        """Return the answer to a packed command; raises every refusal."""
        (answer,) = await exchange(self.connection_pool, [command])
        if isinstance(answer, ResponseError):
            raise answer
        return answer

    async def _exchange(self, commands: Sequence[bytes]) -> list[Any]:
        """Return the answers to packed commands, among which NOT_BY_SHA1 may stand; raises every other refusal."""
        answers = await exchange(self.connection_pool, commands)
        for answer in answers:
            if isinstance(answer, ResponseError) and not isinstance(answer, NOT_BY_SHA1):
                raise answer
        return answers

    async def new_connection(self, _key: str = "") -> AbstractConnection:
        """Return a connection of no pool, not connected yet: for what takes one for long, and so takes no place."""
        connection: AbstractConnection = self.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py's
        return connection

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - the same
        """Close every connection, those to the sentinels too; a server that does not hear of it is no fault."""
        for shared in (self.reads, self.writes):
            await shared.connection.aclose()
        with suppress(RedisError):
            await super().aclose(close_connection_pool)
        if isinstance(self.connection_pool, SentinelConnectionPool):
            with suppress(RedisError):
                await self.connection_pool.sentinel_manager.aclose()

    def server_of(self, _key: str) -> str:
        """Return the name of the server that has a key: there is one."""
        return ""

    async def leave(self) -> None:
        """Drop idle connections, and the shared ones: the next one asks DNS, or Sentinel, where the master is."""
        await self.connection_pool.disconnect(inuse_connections=False)
