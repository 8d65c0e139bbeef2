"""One timer for everything that is open by a session in a process: which of them looks at it, and which speaks.

Owns when a seat looks: by a hint that its session changed, at a moment at which time alone changes something, by a mark
that is another one than before; that few of them look at once, and not all in one second; and when it speaks.
Never says what is new: a seat looks at its session under its own cookie, so a hint that is wrong or forged costs a look
and tells nobody anything.

A timer and a whole look for each stream every five seconds took five hundred idle pages a tenth of a core, and a task
that is woken for each sign of life half of what they take now.
"""

import asyncio
import contextvars
import logging
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.errors import SessionStoreUnavailable
from gateway.store.hints import hint_name
from gateway.store.marks import Mark, read_marks
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from servicekit.logs import log_event

_TICK_SECONDS: Final = 1
_MARKS_AT_ONCE: Final = 500
LOOKS_AT_ONCE: Final = 8
LOOKS_A_SECOND: Final = 1000

_log = logging.getLogger(__name__)


class Seat:
    """Something that is open by a session, as the wheel sees it; `ref` is what the session is called."""

    __slots__ = (
        "asked_again",
        "changes_at",
        "has_left",
        "is_in_line",
        "is_looking",
        "looked",
        "mark",
        "ref",
        "speaks_at",
    )

    def __init__(self, ref: SessionRef) -> None:
        self.ref = ref
        self.mark: Mark | None = None
        """The session's mark at the last look; None for none that counts."""
        self.changes_at = math.inf
        """When time alone changes what a look would find (wall clock, in seconds)."""
        self.speaks_at = math.inf
        """When it wants to speak (monotonic, in seconds)."""
        self.asked_again = 0
        """The turn at which its mark is read again."""
        self.looked = -1
        """The turn of its last look."""
        self.is_in_line = False
        self.is_looking = False
        self.has_left = False

    async def look(self) -> None:
        """Look at the session, note its mark and when time changes it; raises SessionStoreUnavailable."""
        raise NotImplementedError

    def speak(self, now: float) -> None:
        """Say what silence has to be broken with; `now` is the monotonic clock."""

    def stop(self) -> None:
        """Hear that the process ends."""

    def fail(self, fault: Exception) -> None:
        """Hear of a fault of ours while it looked."""


class StreamWheel:
    """Turns while somebody sits on it; `now` is the wall clock, `monotonic` the one that streams age by, in seconds.

    Marks are read every `look` seconds, and every `rarely` while hints arrive. Where many sessions change at once,
    `looks_at_once` seats look side by side and `looks_a_second` in a second, so that others are served meanwhile.
    """

    def __init__(
        self,
        vault: Vault,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        look: float,
        rarely: float,
        looks_at_once: int = LOOKS_AT_ONCE,
        looks_a_second: float = LOOKS_A_SECOND,
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
        self._line: deque[Seat] = deque()
        self._again: set[str] = set()
        self._lookers: set[asyncio.Task[None]] = set()
        self._looks_at_once = looks_at_once
        self._seconds_a_look = looks_at_once / looks_a_second

    def join(self, seat: Seat) -> None:
        """Watch over a seat; its mark is read soon, as much may have happened since its session was read."""
        seat.looked, seat.asked_again = self._turn - 1, self._turn + 1
        self._seats.setdefault(hint_name(seat.ref.family), []).append(seat)
        if self._vault.hints:
            self._vault.hints.hear(self.hint)
        if self._turning is None or self._turning.done():
            # In a context of its own: that of a request has a budget, which ends.
            self._turning = asyncio.create_task(self._run(), context=contextvars.Context())

    def leave(self, seat: Seat) -> None:
        """Watch over it no more, if it ever joined."""
        seat.has_left = True
        name = hint_name(seat.ref.family)
        seats = self._seats.get(name, [])
        if seat in seats:
            seats.remove(seat)
            if not seats:
                del self._seats[name]

    def stop(self) -> None:
        """Turn no more, and tell every seat."""
        for task in (self._turning, *self._lookers):
            if task:
                task.cancel()
        for seat in self._all():
            seat.stop()

    def hint(self, name: str) -> None:
        """Let those look that the name is of: at once, but no more than once in a turn."""
        for seat in self._seats.get(name, ()):
            if seat.looked < self._turn:
                self._let_look(seat)
            else:
                self._again.add(name)

    def _all(self) -> list[Seat]:
        return [seat for seats in self._seats.values() for seat in seats]

    def _let_look(self, seat: Seat) -> None:
        seat.looked = self._turn
        if seat.is_in_line:
            return
        seat.is_in_line = True
        self._line.append(seat)
        if len(self._lookers) < self._looks_at_once:
            looker = asyncio.create_task(self._look_in_turn(), context=contextvars.Context())
            self._lookers.add(looker)
            looker.add_done_callback(self._lookers.discard)

    async def _look_in_turn(self) -> None:
        """Let one after the other look until nobody stands in line."""
        time = asyncio.get_running_loop().time
        while self._line:
            seat, began = self._line.popleft(), time()
            seat.is_in_line = False
            if seat.is_looking:
                self._again.add(hint_name(seat.ref.family))
            elif not seat.has_left:
                await self._look(seat)
            if self._line and (rest := began + self._seconds_a_look - time()) > 0:
                await asyncio.sleep(rest)

    async def _look(self, seat: Seat) -> None:
        seat.is_looking = True
        try:
            await seat.look()
        except SessionStoreUnavailable:
            seat.mark, seat.asked_again = None, self._one_of_the_next()
        except Exception as fault:  # noqa: BLE001 - whoever fails ends, and nobody else
            seat.fail(fault)
        finally:
            seat.is_looking = False

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
        again, self._again = self._again, set()
        for name in again:
            self.hint(name)
        now, monotonic, turn = self._now(), self._monotonic(), self._turn
        asked: list[Seat] = []
        speaking: list[Seat] = []
        for seats in self._seats.values():
            for seat in seats:
                if now >= seat.changes_at and turn >= seat.looked + self._look_turns:
                    self._let_look(seat)  # before its life is over, which may be now
                elif monotonic >= seat.speaks_at:
                    speaking.append(seat)
                if turn >= seat.asked_again:
                    asked.append(seat)
        for seat in speaking:  # whoever ends leaves
            seat.speak(monotonic)
        for first in range(0, len(asked), _MARKS_AT_ONCE):
            if not await self._compare(asked[first : first + _MARKS_AT_ONCE]):
                self._put_off(asked[first:])
                break

    def _mind_gaps(self) -> None:
        """Let everybody's mark be read within one interval where hints were not heard for a while."""
        hints = self._vault.hints
        if hints and hints.gaps != self._gaps:
            self._gaps = hints.gaps
            self._put_off(self._all())

    def _put_off(self, seats: list[Seat]) -> None:
        for seat in seats:
            seat.asked_again = self._one_of_the_next()

    def _one_of_the_next(self) -> int:
        """Return one of the next turns, so that those who have to wait together do not come back together."""
        return self._turn + 1 + random.randrange(self._look_turns)  # noqa: S311 - nothing is secret about it

    async def _compare(self, seats: list[Seat]) -> bool:
        """Let those look whose mark is another one than before; return whether Redis answered."""
        refs = list({seat.ref: None for seat in seats})
        try:
            marks = dict(zip(refs, await read_marks(self._vault, refs), strict=True))
        except SessionStoreUnavailable:
            return False
        heard = self._vault.hints is not None and self._vault.hints.heard
        every = self._rare_turns if heard else self._look_turns
        for seat in seats:
            seat.asked_again = self._turn + every
            if not seat.has_left and marks.get(seat.ref, seat.mark) != seat.mark:
                self._let_look(seat)
        return True
