"""One timer for all event streams of a process: which of them must look at its session, and which must speak.

Owns when a stream is woken: by a hint that its session changed, by a moment at which time alone changes something, by a
mark that is another one than before, by its silence, and when nobody listens any more.
Never says what is new: a stream that is woken looks at its session under its own cookie, so a hint that is wrong or
forged costs a look and tells nobody anything.

A timer and a whole look for each stream every five seconds took five hundred idle pages a tenth of a core.
"""

import asyncio
import contextvars
import logging
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from gateway.errors import SessionStoreUnavailable
from gateway.store.hints import hint_name
from gateway.store.marks import Mark, read_marks
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from servicekit.logs import log_event

_TICK_SECONDS: Final = 1
_MARKS_AT_ONCE: Final = 100

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Seat:
    """One stream, as the wheel sees it.

    `mark` is that of its last look, None for none that counts; `changes_at` (wall clock) is when time alone changes
    what it would see, `speaks_at` (monotonic) when its silence has lasted long enough; both in seconds.
    """

    ref: SessionRef
    request: web.Request
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    mark: Mark | None = None
    changes_at: float = math.inf
    speaks_at: float = math.inf
    must_look: bool = False
    hinted: bool = False
    asked_again: int = 0
    """The turn at which its mark is read again."""
    looked: int = -1
    """The turn of its last look."""

    @property
    def is_heard(self) -> bool:
        """Whether somebody is at the other end, as far as our side knows."""
        transport = self.request.transport
        return transport is not None and not transport.is_closing()


class StreamWheel:
    """Turns while there are streams; `now` is the wall clock, `monotonic` the one that streams age by, in seconds.

    Marks are read every `look` seconds, and every `rarely` while hints arrive.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        look: float,
        rarely: float,
    ) -> None:
        self._vault = vault
        self._now = now
        self._monotonic = monotonic
        self._tick = min(_TICK_SECONDS, look)
        self._look_turns = max(1, round(look / self._tick))
        self._rare_turns = max(1, round(rarely / self._tick))
        self._seats: dict[str, list[Seat]] = {}
        self._turn = 0
        self._gaps = 0
        self._turning: asyncio.Task[None] | None = None

    def join(self, seat: Seat) -> None:
        """Watch over a stream; its mark is read soon, as much may have happened since its session was read."""
        seat.looked, seat.asked_again = self._turn - 1, self._turn + 1
        self._seats.setdefault(hint_name(seat.ref.family), []).append(seat)
        if self._vault.hints:
            self._vault.hints.hear(self.hint)
        if self._turning is None or self._turning.done():
            # In a context of its own: that of a request has a budget, which ends.
            self._turning = asyncio.create_task(self._run(), context=contextvars.Context())

    def leave(self, seat: Seat) -> None:
        """Watch over it no more."""
        name = hint_name(seat.ref.family)
        self._seats[name].remove(seat)
        if not self._seats[name]:
            del self._seats[name]

    def stop(self) -> None:
        """Turn no more, and wake every stream."""
        if self._turning:
            self._turning.cancel()
        for seats in self._seats.values():
            for seat in seats:
                seat.awake.set()

    def hint(self, name: str) -> None:
        """Let those streams look that the name is of: at once, but no more than once in a turn."""
        for seat in self._seats.get(name, ()):
            seat.hinted = True
            if seat.looked < self._turn:
                self._let_look(seat)

    def looked(self, seat: Seat, mark: Mark | None, changes_at: float) -> None:
        """Note what a look found; None for one that found no store."""
        seat.mark, seat.changes_at = mark, changes_at
        if mark is None:
            seat.asked_again = self._turn + self._look_turns

    def _let_look(self, seat: Seat) -> None:
        seat.hinted, seat.must_look, seat.looked = False, True, self._turn
        seat.awake.set()

    async def _run(self) -> None:
        while self._seats:
            await asyncio.sleep(self._tick)
            try:
                await self._go_round()
            except Exception as fault:  # noqa: BLE001 - one bad turn must not silence every stream for good
                log_event(_log, logging.ERROR, "event-streams-failed", fault=fault)

    async def _go_round(self) -> None:
        self._turn += 1
        self._mind_gaps()
        now, monotonic, turn = self._now(), self._monotonic(), self._turn
        asked: list[Seat] = []
        for seats in self._seats.values():
            for seat in seats:
                timed = now >= seat.changes_at and turn >= seat.looked + self._look_turns
                if seat.hinted or timed:
                    self._let_look(seat)
                elif monotonic >= seat.speaks_at or not seat.is_heard:
                    seat.awake.set()
                if turn >= seat.asked_again:
                    asked.append(seat)
        for first in range(0, len(asked), _MARKS_AT_ONCE):
            await self._compare(asked[first : first + _MARKS_AT_ONCE])

    def _mind_gaps(self) -> None:
        """Let everybody's mark be read within one interval where hints were not heard for a while."""
        hints = self._vault.hints
        if hints and hints.gaps != self._gaps:
            self._gaps = hints.gaps
            for seats in self._seats.values():
                for seat in seats:
                    soon = self._turn + random.randrange(self._look_turns)  # noqa: S311 - nothing is secret about it
                    seat.asked_again = min(seat.asked_again, soon)

    async def _compare(self, seats: list[Seat]) -> None:
        heard = self._vault.hints is not None and self._vault.hints.heard
        every = self._rare_turns if heard else self._look_turns
        refs = list({seat.ref: None for seat in seats})
        try:
            marks = dict(zip(refs, await read_marks(self._vault, refs), strict=True))
        except SessionStoreUnavailable:
            every, marks = self._look_turns, {}
        for seat in seats:
            seat.asked_again = self._turn + every
            if seat.ref in marks and marks[seat.ref] != seat.mark:
                self._let_look(seat)
