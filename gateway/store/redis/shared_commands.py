"""What commands pass on their way to a connection that they share: the request's budget and the circuit breaker.

Owns the short way, on which both are looked at and nothing is held, and the careful one for whoever has little time
left, or finds out whether the server is back.
Never sends a command that must not happen twice, and knows none.
"""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.counts import Counts
from gateway.store.redis.budget import Budget, RedisLimits, current_budget
from gateway.store.redis.loop_clock import is_our_delay
from gateway.store.redis.outages import is_outage
from gateway.store.redis.places import OwnDelay
from gateway.store.redis.shared_connection import SharedConnection
from servicekit.breaker import BreakerOpen, CircuitBreaker
from servicekit.remote_timeout import RemoteTimeout


class SharedCommands:
    """Asks by a shared connection, within the budget of the request that is being served."""

    def __init__(
        self, connection: SharedConnection, breaker: CircuitBreaker, *, limits: RedisLimits, counts: Counts
    ) -> None:
        self.connection = connection
        self._breaker = breaker
        self._limits = limits
        self._counts = counts

    def _has_time(self, budget: Budget) -> bool:
        """Tell whether there is time for two tries: then the connection's clock is enough, and no end of one's own."""
        return budget.remaining >= self._limits.attempt and self._breaker.is_closed

    async def ask(self, command: bytes) -> Any:
        """Return the answer to a packed command that may happen twice; raises RedisError whatever goes wrong.

        OwnDelay where Redis had no part in it.
        """
        budget = current_budget() or Budget(self._limits.attempt)
        if self._has_time(budget):
            return await self.connection.send(command, budget)
        (answer,) = await self.ask_all([command])
        return answer

    async def ask_all(self, commands: Sequence[bytes]) -> list[Any]:
        """Return the answers to several of them, which are sent together; raises what the first fault raises."""
        budget = current_budget() or Budget(self._limits.attempt)
        if budget.remaining <= 0:
            raise RedisTimeoutError("this request has waited for Redis long enough")
        try:
            # While it is closed, the connection itself tells the breaker what befalls it.
            with nullcontext() if self._breaker.is_closed else self._breaker.attempt(is_outage):
                return await self._ask_within(commands, budget)
        except BreakerOpen as error:
            self._counts.redis_asked("not-sent", 0, len(commands))
            raise RedisConnectionError("Redis failed a moment ago") from error

    async def _ask_within(self, commands: Sequence[bytes], budget: Budget) -> list[Any]:
        seconds = min(self._limits.attempt, budget.remaining)
        clock = self.connection.clock
        began, still = clock.now(), clock.stood_still
        try:
            async with RemoteTimeout(seconds):
                return await asyncio.gather(
                    *[
                        # All of them take the time of one.
                        self.connection.send(command, Budget(0) if number else budget)
                        for number, command in enumerate(commands)
                    ]
                )
        except TimeoutError as error:
            took = clock.now() - began
            budget.spend(took)
            if is_our_delay(clock, took, still, min(self._limits.command, seconds)):
                self._counts.redis_asked("own-delay", 0, len(commands))
                raise OwnDelay("the event loop stood still") from error
            self._counts.redis_asked("failed", took, len(commands))
            raise RedisTimeoutError("Redis did not answer in time") from error
