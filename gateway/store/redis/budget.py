"""How long the gateway waits for Redis: for a command, for a try and its repetition, for all that a request asks.

Owns the limits, and the budget of a request: every command takes from it what it took, and none begins with an empty
one. Only waiting for Redis counts, so that a slow authority does not use it up. Never cancels anything else.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


@dataclass(frozen=True)
class RedisLimits:
    """Seconds that the gateway waits for Redis before it says that Redis does not answer."""

    command: float = 0.5
    """For a connection, for a place in the queue, and for one answer."""
    attempt: float = 1.2
    """For two tries, or one with all that comes before it: a place in the queue, a connection, a failover."""
    request: float = 1.6
    """For everything that one request asks of it."""


LIMITS: Final = RedisLimits()


class Budget:
    """Seconds that are left."""

    def __init__(self, seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.remaining = seconds
        self._now = now

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Take from the budget what the block takes."""
        began = self._now()
        try:
            yield
        finally:
            self.remaining -= self._now() - began


_current: ContextVar[Budget | None] = ContextVar("redis_budget", default=None)


def current_budget() -> Budget | None:
    """Return the budget of the request that is being served; None for work that belongs to no request."""
    return _current.get()


@contextmanager
def redis_budget(seconds: float) -> Iterator[Budget]:
    """Give the block, and the tasks that it starts, a budget of its own."""
    budget = Budget(seconds)
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)


def redis_budget_middleware(seconds: float = LIMITS.request) -> Middleware:
    """Return the middleware that gives each request its budget."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        with redis_budget(seconds):
            answer: Awaitable[web.StreamResponse] = handler(request)
            return await answer

    return middleware
