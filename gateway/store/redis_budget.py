"""How long one request may wait for Redis in all.

Owns the budget of a request: every command takes from it what it took, and none begins with an empty one.
Only waiting for Redis counts, so that a slow authority does not use it up. Never cancels anything else.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

REQUEST_SECONDS: Final = 1.6


class Budget:
    """Seconds that are left."""

    def __init__(self, seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.left = seconds
        self._now = now

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Take from the budget what the block takes."""
        began = self._now()
        try:
            yield
        finally:
            self.left -= self._now() - began


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


def redis_budget_ring(seconds: float = REQUEST_SECONDS) -> Middleware:
    """Return the ring that gives each request its budget."""

    @web.middleware
    async def ring(request: web.Request, handler: Handler) -> web.StreamResponse:
        with redis_budget(seconds):
            answer: Awaitable[web.StreamResponse] = handler(request)
            return await answer

    return ring
