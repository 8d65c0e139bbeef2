"""Admission: how many requests are worked on at once, who waits for a moment, and who is told at once to come later.

Owns the places, the short line for them, and the patience with a connection that comes back too soon. Refusing costs
work, too: clients that take no notice of `Retry-After` would be refused so often that nothing else gets done. So who
comes back by a connection that was refused a moment ago waits for a turn in the line, whatever its length.
Never reads a body, a cookie or a store, and never knows a route: a service's pipeline says which places a request
needs.

A place is held while the handler works. The answer is written without one, so that who reads slowly holds none; who
sends slowly lends it (`lent_place`), and a stream gives it back once it has begun (`give_place_back`).
"""

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from aiohttp import web

from servicekit.errors import Overloaded
from servicekit.logs import log_event

MAX_REQUESTS: Final = 1_000
"""About what a process answers in a second: whoever is let in waits for us no longer than that."""
_LINE_SHARE: Final = 4
WAIT_SECONDS: Final = 1.0
"""In the line, for whoever was not refused a moment ago."""
LONGEST_RETRY_SECONDS: Final = 5
# For so long a connection that was refused waits for a turn, whenever it comes back.
_KNOWN_SECONDS: Final = 30
# A pace that was seen before is no guess for now.
_PACE_SECONDS: Final = 10
_LOG_SECONDS: Final = 10
# Asking for the time costs as much as all else that a place does.
_LOOKED_AT_EVERY: Final = 16

_log = logging.getLogger(__name__)


class RequestNumbers:
    """How many requests have a place of one kind at this moment, and how many wait for one."""

    def __init__(self) -> None:
        self.in_work = 0
        self.waiting = 0


class AdmissionCounts(Protocol):
    """Whoever counts requests; `places` is their name."""

    def request_numbers(self, places: str) -> RequestNumbers:
        """Return numbers that are kept up to date, and may be looked at whenever somebody asks for them."""

    def request_refused(self, places: str) -> None:
        """Hear that a request was refused."""


class Admission:
    """Places of one kind, by their `name`: `most` at once, and a line of a quarter of that for `wait` seconds."""

    def __init__(
        self, name: str, most: int, *, wait: float = WAIT_SECONDS, counts: AdmissionCounts | None = None
    ) -> None:
        self._name = name
        self._most = most
        self._longest_line = max(1, most // _LINE_SHARE)
        self._wait = wait
        self._counts = counts
        self._numbers = counts.request_numbers(name) if counts else RequestNumbers()
        self._line: OrderedDict[_Turn, None] = OrderedDict()
        self._known_until: WeakKeyDictionary[asyncio.Transport, float] = WeakKeyDictionary()
        self._pace = _Pace(most)
        self._given_back = 0
        self._refused = 0
        self._log_again_at = -math.inf

    def free_place(self, request: web.BaseRequest) -> "Place | None":
        """Return a place where one is free, which is so as a rule; whoever has one gives it back."""
        if self._numbers.in_work >= self._most:
            return None
        self._numbers.in_work += 1
        place = request[_PLACE] = Place(self)
        return place

    async def place(self, request: web.BaseRequest) -> "Place":
        """Return a place, and wait for it if that is worth it; raises Overloaded."""
        await self.take(request)
        place = request[_PLACE] = Place(self)
        return place

    def _takes_at_once(self) -> bool:
        if self._numbers.in_work >= self._most:
            return False
        self._numbers.in_work += 1
        return True

    async def take(self, request: web.BaseRequest) -> None:
        """Wait for a place, if that is worth it; raises Overloaded."""
        if self._takes_at_once():
            return
        now = asyncio.get_running_loop().time()
        if request.transport is not None and now < self._known_until.get(request.transport, 0.0):
            until = now + self._retry_seconds(now)
        elif len(self._line) < self._longest_line:
            until = now + self._wait
        else:
            raise self._refusal(request, now)
        await self._stand_in_line(_Turn(request), until)

    async def take_again(self, request: web.BaseRequest) -> None:
        """Wait for the place that the request had before, ahead of whoever had none."""
        if not self._takes_at_once():
            await self._stand_in_line(_Turn(request), math.inf)

    def free(self) -> None:
        """Give a place back: to the first in the line who is still there."""
        self._given_back += 1
        if not self._given_back % _LOOKED_AT_EVERY:
            self._pace.look(self._given_back, asyncio.get_running_loop().time())
        while self._line:
            turn, _ = self._line.popitem(last=False)
            if not turn.granted.done():
                turn.granted.set_result(turn.is_somebody_there)
                if turn.granted.result():
                    self._numbers.waiting = len(self._line)
                    return
        self._numbers.in_work -= 1

    async def _stand_in_line(self, turn: "_Turn", until: float) -> None:
        loop = asyncio.get_running_loop()
        self._line[turn] = None
        if until == math.inf:
            self._line.move_to_end(turn, last=False)
        self._numbers.waiting = len(self._line)
        timer = None if until == math.inf else loop.call_at(until, turn.leave)
        try:
            granted = await turn.granted
        except asyncio.CancelledError:
            if turn.granted.cancelled() or not turn.granted.result():
                self._forget(turn)
            else:
                self.free()  # it was ours in the same moment
            raise
        finally:
            if timer:
                timer.cancel()
        if not granted:
            self._forget(turn)
            raise self._refusal(turn.request, loop.time()) if turn.is_somebody_there else Overloaded()

    def _forget(self, turn: "_Turn") -> None:
        self._line.pop(turn, None)
        self._numbers.waiting = len(self._line)

    def _retry_seconds(self, now: float) -> int:
        """Return in how many seconds there will be a place for whoever comes last, as far as anybody can tell."""
        return min(
            LONGEST_RETRY_SECONDS, 1 + math.ceil(len(self._line) / self._pace.a_second(self._given_back, now))
        )

    def _refusal(self, request: web.BaseRequest, now: float) -> Overloaded:
        seconds = self._retry_seconds(now)
        if request.transport is not None:
            self._known_until[request.transport] = now + _KNOWN_SECONDS
        self._refused += 1
        if now >= self._log_again_at:
            self._log_again_at = now + _LOG_SECONDS
            log_event(
                _log,
                logging.WARNING,
                "overloaded",
                places=self._name,
                most=self._most,
                waiting=len(self._line),
                refused=self._refused,
            )
        if self._counts:
            self._counts.request_refused(self._name)
        return Overloaded(retry_after=seconds)


class _Pace:
    """How fast places are given back: `guess` a second until a second has shown better."""

    def __init__(self, guess: float) -> None:
        self._a_second = float(guess)
        self._since = -math.inf
        self._before = 0

    def a_second(self, given_back: int, now: float) -> float:
        """Return how many places were given back in a second until now, at least one."""
        self.look(given_back, now)
        return max(self._a_second, 1.0)

    def look(self, given_back: int, now: float) -> None:
        """Hear how many were given back until now, since there are places."""
        took = now - self._since
        if took >= 1:
            count = given_back - self._before
            if count and took < _PACE_SECONDS:
                self._a_second = count / took
            self._since, self._before = now, given_back


@dataclass(eq=False, slots=True)
class _Turn:
    """One request in the line."""

    request: web.BaseRequest
    granted: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def is_somebody_there(self) -> bool:
        transport = self.request.transport
        return transport is not None and not transport.is_closing()

    def leave(self) -> None:
        """Leave without a place."""
        if not self.granted.done():
            self.granted.set_result(False)


class Place:
    """What a request holds, and may give back early."""

    __slots__ = ("_admission", "is_held")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.is_held = True

    def give_back(self) -> None:
        """Give it to whoever is next."""
        if self.is_held:
            self.is_held = False
            self._admission.free()

    async def take_again(self, request: web.BaseRequest) -> None:
        """Have it back, ahead of whoever had none."""
        await self._admission.take_again(request)
        self.is_held = True


_PLACE: Final = web.RequestKey("place", Place)


@asynccontextmanager
async def lent_place(request: web.BaseRequest) -> AsyncIterator[None]:
    """Lend the request's place to others while the block waits for the caller, and have it back afterwards.

    Where the block fails the request has no place any more, and needs none to say so.
    """
    place = request.get(_PLACE)
    if place is None or not place.is_held:
        yield
        return
    place.give_back()
    yield
    await place.take_again(request)


def give_place_back(request: web.BaseRequest) -> None:
    """Give a request's place back before its answer is complete: a stream has begun, and does nothing but wait."""
    if _PLACE in request:
        request[_PLACE].give_back()
