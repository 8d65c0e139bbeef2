"""A connection that reads share, made by ways that fail as a test says, for the tests of its making and its end."""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from redis.asyncio.connection import AbstractConnection

from gateway.store.redis.budget import RedisLimits
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.shared_connection import SharedConnection, Ways
from servicekit.breaker import CircuitBreaker
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import Manner, ScriptedRedis, hash_of_names
from tests.unit.gateway.store.redis.heard_counts import HeardCounts

REQUEST = contextvars.ContextVar("request", default="none")
PATIENT = RedisLimits(command=PATIENCE, attempt=PATIENCE, request=PATIENCE)
BRIEF = RedisLimits(command=0.1, attempt=0.1, request=1.6)


class Unfinished:
    """A connection that never comes about, or that `fault` befalls."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._fault = fault
        self.begun = asyncio.Event()
        self.left: list[bool] = []

    async def connect(self) -> None:
        self.begun.set()
        if self._fault:
            raise self._fault
        await asyncio.Event().wait()

    async def disconnect(self, *, nowait: bool = False) -> None:
        self.left.append(nowait)


class Doors:
    """The ways of a client of a server, which note what was done; `first` are given out before any of its own."""

    def __init__(self, server: ScriptedRedis, *first: Unfinished | Exception) -> None:
        client = redis_client(server.url)
        assert isinstance(client, GuardedRedis)
        self._own = client.reads.connection._ways
        self.first = deque(first)
        self.done: list[str] = []
        self.asked_in: list[str] = []

    async def connection(self) -> AbstractConnection:
        self.done.append("connection")
        self.asked_in.append(REQUEST.get())
        if not self.first:
            return await self._own.connection()
        given = self.first.popleft()
        if isinstance(given, Exception):
            raise given
        return cast("AbstractConnection", given)

    async def leave(self) -> None:
        self.done.append("leave")


class Scene:
    """A connection of its own, and all that it was made of."""

    def __init__(
        self, server: ScriptedRedis, limits: RedisLimits, first: tuple[Any, ...], failures: int
    ) -> None:
        self.server = server
        self.doors = Doors(server, *first)
        self.breaker = CircuitBreaker(now=time.monotonic, failures=failures, open_seconds=PATIENCE)
        ways = Ways(self.doors.connection, self.doors.leave)
        self.heard = HeardCounts()
        self.connection = SharedConnection(ways, self.breaker, limits=limits, counts=self.heard)

    async def is_ticking(self) -> bool:
        """Tell whether the clock measures anything: then it notices that the loop stands still."""
        before = self.connection.clock.stood_still
        for _ in range(3):
            time.sleep(0.03)  # noqa: ASYNC251 - the fault
            await asyncio.sleep(0)
        return self.connection.clock.stood_still > before


@asynccontextmanager
async def scene(
    *first: Any,
    limits: RedisLimits = PATIENT,
    manners: tuple[Manner, ...] = (),
    failures: int = 1,
    answer: Callable[[Command], bytes] = hash_of_names,
) -> AsyncIterator[Scene]:
    """Give a scene; no callback of the loop may fail in it."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with ScriptedRedis(manners, answer=answer).running() as server, asyncio.timeout(PATIENCE):
        one = Scene(server, limits, first, failures)
        yield one
        await one.connection.aclose()
    assert faults == []
