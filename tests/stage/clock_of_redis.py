"""Redis' clock in a world in which time passes when a test says so."""

from collections.abc import Callable

from gateway.store.redis_clock import RedisClock


class ClockOfRedis(RedisClock):
    """Redis' clock, where a test lets time pass that does not pass in Redis."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now=now)
        self._moved = now

    def __call__(self) -> float:
        """Return what the test says."""
        return self._moved()

    @property
    def is_heard(self) -> bool:
        """It is known what time it is."""
        return True

    @property
    def is_old(self) -> bool:
        """Redis need not be asked."""
        return False

    @property
    def is_stale(self) -> bool:
        """Nor with what is read."""
        return False

    def hear(self, milliseconds: int) -> None:
        """Take no notice."""
