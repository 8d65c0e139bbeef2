"""How long the gateway waits for Redis: for a command, for a try and its repetition, for all that a request asks.

Owns the limits, and the budget of a request: every command takes from it what it took, and none begins with an empty
one. Only Redis' own time counts: not a slow authority's, not that of our own line for a connection (`places.py`), and
not what our event loop stood still for. Never cancels anything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class RedisLimits:
    """Seconds that the gateway waits for Redis before it says that Redis does not answer."""

    command: float = 0.5
    """For a connection, and for one answer."""
    attempt: float = 1.2
    """For two tries, or one with all that comes before it: a connection, a failover."""
    request: float = 1.6
    """For everything that one request asks of it."""


LIMITS: Final = RedisLimits()


class Budget:
    """Seconds that are left; who `goes_first` need not stand behind others in the line for a connection.

    Whoever was answered once does: half of an answer is worth nothing to anybody.
    """

    __slots__ = ("goes_first", "remaining")

    def __init__(self, seconds: float, *, goes_first: bool = False) -> None:
        self.remaining = seconds
        self.goes_first = goes_first

    def spend(self, seconds: float) -> None:
        """Take what a command took."""
        self.remaining -= seconds
        self.goes_first = True


_current: ContextVar[Budget | None] = ContextVar("redis_budget", default=None)


def current_budget() -> Budget | None:
    """Return the budget of the request that is being served; None for work that belongs to no request."""
    return _current.get()


@contextmanager
def redis_budget(seconds: float, *, goes_first: bool = False) -> Iterator[Budget]:
    """Give the block, and the tasks that it starts, a budget of its own."""
    budget = Budget(seconds, goes_first=goes_first)
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)


def give_budget(seconds: float = LIMITS.request, *, goes_first: bool = False) -> None:
    """Give a request its budget, and so whatever it begins; its task ends with it."""
    _current.set(Budget(seconds, goes_first=goes_first))
