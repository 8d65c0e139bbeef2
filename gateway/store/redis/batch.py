"""Commands that go out together by the shared connection, and who waits for their answers.

Owns what is known of them, and when their answers are overdue. Never sends anything.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.store.redis.budget import Budget, RedisLimits
from gateway.store.redis.loop_clock import LoopClock


class Waiting(Protocol):
    """Who waits for an answer: a future, or whatever takes one."""

    def done(self) -> bool:
        """Tell whether the answer is wanted no more."""

    def cancelled(self) -> bool:
        """Tell whether that is so because whoever waited has left."""

    def set_result(self, result: Any, /) -> None:
        """Take the answer."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Take a refusal."""


Entry = tuple[Waiting, bytes, Budget | None]
"""Who waits for an answer, the command, and whose time it takes, if that is counted at all."""


@dataclass(slots=True, eq=False)
class Batch:
    """Commands that are sent together; times are seconds of the loop's clock."""

    began: float
    began_still: float
    """What the loop's clock had stood still for by then."""
    entries: list[Entry] = field(default_factory=list)
    answered: int = 0
    """How many of them were."""
    refused: int = 0
    """How many of these answers, as far as they are counted, say that the server will not."""
    sent: float = 0.0
    sent_still: float = 0.0
    grace_ends: float | None = None
    """Until when it is waited because the loop was late, by `time.monotonic`."""
    has_waited: bool = False
    """For a connection, or for room in it: then that was Redis' time as well."""
    has_met_fault: bool = False
    """Whether a connection broke, or could not be made, while this waited."""

    def begin_try(self, clock: LoopClock) -> None:
        """Note that it is sent now."""
        self.sent, self.sent_still, self.grace_ends = clock.now(), clock.stood_still, None

    def is_over(self, clock: LoopClock, limits: RedisLimits) -> bool:
        """Tell whether both tries have taken all the time that there is for them."""
        return clock.now() - self.began >= limits.attempt

    def is_overdue(self, clock: LoopClock, limits: RedisLimits) -> bool:
        """Tell whether the answer takes too long; where the loop was late, as much again is waited, once."""
        had, still = clock.now() - self.sent, clock.stood_still - self.sent_still
        if had >= limits.command or self.is_over(clock, limits):
            return True
        if had + still < limits.command:
            return False
        now = time.monotonic()
        if self.grace_ends is None:
            self.grace_ends = now + min(still, limits.command)
        return now >= self.grace_ends

    def waiting(self) -> list[Entry]:
        """Return the entries without an answer that is wanted still."""
        return [entry for entry in self.entries[self.answered :] if not entry[0].done()]
