"""Redis' clock: the one by which everything that lies in Redis begins and ends.

Gateways on several machines share what lies there, and the clock of one of them may be wrong by a day. So none of them
judges a session, or anything that a session holds, by its own: what is written says when it ends by Redis' clock, and
Redis tells its time with everything that is read (docs/explanation/decisions/2026-11-26-redis-tells-the-time.md).
Owns what time it is there between two answers.
Never asks Redis (the vault does), and never judges a token: the authority's times are compared with this machine's.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from servicekit.clock_watch import ClockWatch
from servicekit.logs import log_event

_OLD_SECONDS: Final = 60
# With what is read anyway it is asked as often as this, which costs nothing.
_STALE_SECONDS: Final = 1
# Our two clocks run on side by side, unless the machine slept or somebody set one of them.
_JUMP_SECONDS: Final = 1

_log = logging.getLogger(__name__)


class RedisClock:
    """Tells Redis' time in seconds since 1970; until it was heard, that of this machine.

    `now` is this machine's wall clock, `steady` one that nobody sets; `watch` compares the first with Redis'.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        watch: ClockWatch | None = None,
    ) -> None:
        self._now = now
        self._steady = steady
        self._watch = watch
        self._heard_at: tuple[float, float] | None = None
        self._ahead: float | None = None
        """How far Redis' time of day is ahead of the clock that nobody sets."""
        self._refused_at: float | None = None
        self._warned = False

    def __call__(self) -> float:
        """Return the time."""
        ahead = self._ahead
        return self._now() if ahead is None else ahead + self._steady()

    @property
    def is_heard(self) -> bool:
        """Tell whether Redis ever told its time; its user may not have the right to ask."""
        return self._heard_at is not None

    @property
    def is_old(self) -> bool:
        """Tell whether Redis is better asked again: it was not heard in the last minute, or our clocks have jumped."""
        return self._is_older_than(_OLD_SECONDS)

    @property
    def is_stale(self) -> bool:
        """Tell whether Redis is asked again with what is read; where we may not, that is tried now and then."""
        if self._refused_at is not None and self._steady() - self._refused_at < _OLD_SECONDS:
            return False
        return self._is_older_than(_STALE_SECONDS)

    def _is_older_than(self, seconds: float) -> bool:
        if self._heard_at is None:
            return True
        wall, steady = self._now() - self._heard_at[0], self._steady() - self._heard_at[1]
        return steady > seconds or abs(wall - steady) > _JUMP_SECONDS

    def hear(self, milliseconds: int) -> None:
        """Take over what Redis has just told; nothing where it told nothing (0)."""
        if not milliseconds:
            self._refused_at = self._steady()
            self._tell_once()
            return
        heard, self._heard_at = milliseconds / 1000, (self._now(), self._steady())
        self._ahead = heard - self._heard_at[1]
        if self._watch:
            self._watch.compare_time(heard)

    def _tell_once(self) -> None:
        if not self._warned:
            self._warned = True
            log_event(
                _log,
                logging.WARNING,
                "redis-time-refused",
                meaning="Redis' user may not ask for the time, so sessions live by this machine's clock",
                remedy="give it the right to TIME (docs/how-to/redis.md, Least rights)",
            )
