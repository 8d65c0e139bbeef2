"""Redis' time, asked for with the commands of others: in the same write, before them, and so for nothing.

Owns when that is: where the time was not heard for a second, or our own clocks have jumped.
Never waits, and never fails whoever reads: a user without the right to ask is told of by the clock.
"""

from collections.abc import Sequence
from typing import Any, Final

from gateway.store.redis.batch import Waiting
from gateway.store.redis.outages import is_forbidden
from gateway.store.redis.packing import packed
from gateway.store.redis_clock import RedisClock

_TIME: Final = packed("TIME")


class TimeAlong:
    """Asks for the time, and takes the answer where a command has a future."""

    def __init__(self, clock: RedisClock) -> None:
        self._clock = clock

    def wanted(self) -> tuple[Waiting, bytes] | None:
        """Return the command where the time is to be asked."""
        return (self, _TIME) if self._clock.is_stale else None

    def done(self) -> bool:
        """Say that the answer is wanted."""
        return False

    def cancelled(self) -> bool:
        """Say the same."""
        return False

    def set_result(self, answer: Sequence[Any], /) -> None:
        """Hear the time: seconds, and microseconds of the next one."""
        seconds, microseconds = map(int, answer)
        self._clock.hear(seconds * 1000 + microseconds // 1000)

    def set_exception(self, exception: BaseException, /) -> None:
        """Hear that it is not told."""
        if is_forbidden(exception):
            self._clock.hear(0)
