"""A circuit breaker: after some failures in a row nobody waits for the next one.

Owns the three states and who may try in each: closed (everyone), open (nobody, for a while), half-open (one caller, to
find out). Never knows what is tried, and never retries.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

FAILURES: Final = 5
OPEN_SECONDS: Final = 1.0


class BreakerOpen(Exception):
    """Nothing was tried, as the last tries failed a moment ago."""


class CircuitBreaker:
    """Counts failures in a row; `now` is a monotonic clock in seconds.

    `failures` in a row open it for `open_seconds`, `hold` opens it at once. Then one caller may try, while the others
    are still refused: its success closes the breaker, its failure opens it again.
    `on_turn` is called with True when it opens, and with False when a success closes it.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        failures: int = FAILURES,
        open_seconds: float = OPEN_SECONDS,
        on_turn: Callable[[bool], None] | None = None,
    ) -> None:
        self._now = now
        self._most = failures
        self._open_seconds = open_seconds
        self._on_turn = on_turn
        self._in_a_row = 0
        self._open_until: float | None = None
        self._probe: object = None

    @property
    def seconds_left(self) -> float:
        """How long until somebody may try, never below zero."""
        return max(0.0, (self._open_until or 0.0) - self._now())

    def hold(self, seconds: float) -> None:
        """Open it for `seconds` from now at least: the other side said how long it wants to be left alone."""
        self._turn(max(self._open_until or 0.0, self._now() + seconds))

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused at this moment."""
        return self._open_until is not None and (self._probe is not None or self._now() < self._open_until)

    @property
    def is_closed(self) -> bool:
        """Whether everybody may try."""
        return self._open_until is None

    @property
    def is_half_open(self) -> bool:
        """Whether the next call would be the one that finds out."""
        return self._open_until is not None and not self.is_open

    def wait_no_longer(self) -> None:
        """Let another call find out after a pause, as the one that does takes long; it may still close the breaker."""
        if self._probe is not None:
            self._probe = None
            self._open_until = self._now() + self._open_seconds

    @contextmanager
    def attempt(self, is_failure: Callable[[BaseException], bool | None]) -> Iterator[None]:
        """Let the block try, and judge by how it ends; raises BreakerOpen without trying.

        An exception that is no failure by `is_failure` shows that the other side answers, and counts as success. One of
        which it says None tells nothing, and neither does a block that is cancelled, or otherwise ended from outside.
        """
        probe = self.begin()
        try:
            yield
        except BaseException as error:
            self.end(probe, failed=is_failure(error) if isinstance(error, Exception) else None)
            raise
        self.end(probe, failed=False)

    def begin(self) -> object:
        """Begin to try, by hand what `attempt` does; return what `end` needs to know. Raises BreakerOpen."""
        if self._open_until is None:
            return None
        if self.is_open:
            raise BreakerOpen
        self._probe = object()
        return self._probe

    def end(self, probe: object, *, failed: bool | None) -> None:
        """Say how it ended: failed or not, or None where that tells nothing."""
        if self._open_until is None and failed is False:
            self._in_a_row = 0
        else:
            self._judge(failed=failed, probe=probe)

    def note(self, *, failed: bool) -> None:
        """Count a success or a failure of something that everybody tried together, while it was closed."""
        if self._open_until is None and (failed or self._in_a_row):
            self._judge(failed=failed, probe=self._probe)

    def _judge(self, *, failed: bool | None, probe: object) -> None:
        is_current = probe is self._probe
        if is_current:
            self._probe = None
        # Begun before it opened, or so long ago that others have found out: what it says is old news.
        is_old = self._open_until is not None if probe is None else failed and not is_current
        if failed is None or is_old:
            return
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if failed and (probe or self._in_a_row >= self._most):
            self._turn(self._now() + self._open_seconds)
        elif not failed:
            self._turn(None)

    def _turn(self, open_until: float | None) -> None:
        was_open, is_open = self._open_until is not None, open_until is not None
        self._open_until = open_until
        if self._on_turn and was_open is not is_open:
            self._on_turn(is_open)
