"""When it was, as a line of the log says it: in UTC, to the millisecond, in the form of RFC 3339.

Owns that form alone. Never reads a clock.
"""

from datetime import UTC, datetime
from functools import lru_cache


def time_text(at: float) -> str:
    """Return a moment, in seconds since 1970, as a line has it."""
    return _text(round(at * 1_000_000) // 1_000)


# A busy process writes many lines in a millisecond, and threads may be in two of them.
@lru_cache(maxsize=8)
def _text(milliseconds: int) -> str:
    return f"{_second_text(milliseconds // 1_000)}.{milliseconds % 1_000:03}Z"


@lru_cache(maxsize=8)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
