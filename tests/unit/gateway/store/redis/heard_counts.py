"""What is counted of Redis, for the tests of what counts it."""

from gateway.counts import Counts


class HeardCounts(Counts):
    """Notes how commands ended, and whether the breaker is open."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.breaker_is_open = False

    def redis_asked(self, outcome: str, seconds: float, commands: int = 1) -> None:
        assert seconds >= 0
        self.asked.append((outcome, commands))

    def breaker_turned(self, breaker: str, *, is_open: bool) -> None:
        assert breaker == "redis"
        self.breaker_is_open = is_open
