"""One end for a flow, however often its browser sends the answer: by a second click, or by a reload while it waits.

Owns that the same answer of the same browser is worked on once in this process, and that whoever sends it again gets
what the first was given. Never takes a flow, and never remembers a failure: what comes after one is judged anew.

An answer's name holds its code and the flow's cookie, so nobody else's is ever the same; a browser that got the first
response has that cookie no more. Other processes know nothing of it: there the second finds the flow spent.
docs/explanation/decisions/2026-11-26-an-answer-twice.md
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

KEPT_SECONDS: Final = 60
_MOST_KEPT: Final = 1_000


class Arrivals(Generic[T]):
    """Shares one outcome between requests that bring the same; `now` is a monotonic clock in seconds."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self._kept: dict[str, tuple[float, T]] = {}

    async def once(self, name: str | None, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` returns, or what it returned to another request of this name; raises what it raises.

        Where the other one fails, `work` is done again. Without a name nothing is shared.
        """
        if name is None:
            return await work()
        self._forget()
        if (under_way := self._under_way.get(name)) is not None:
            await asyncio.shield(under_way)
        if name in self._kept:
            return self._kept[name][1]
        mine = self._under_way.setdefault(name, asyncio.get_running_loop().create_future())
        try:
            outcome = await work()
            if len(self._kept) < _MOST_KEPT:
                self._kept[name] = (self._now() + KEPT_SECONDS, outcome)
            return outcome
        finally:
            if not mine.done():
                mine.set_result(None)
            if self._under_way.get(name) is mine:
                del self._under_way[name]

    def _forget(self) -> None:
        now = self._now()
        while self._kept:
            name, (until, _) = next(iter(self._kept.items()))
            if until > now:
                return  # all others were kept later
            del self._kept[name]
