"""Time as a value that is passed in. Owns the clock's type and its forms on the wire; never reads time itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate

Clock = Callable[[], float]
"""Seconds since 1970, UTC."""


@dataclass(slots=True)
class OffsetClock:
    """A clock that an administrator may set fast or slow; everything in the tenant reads this one."""

    source: Clock
    offset: float = 0.0

    def __call__(self) -> float:
        """Return the tenant's opinion of the time."""
        return self.source() + self.offset


def http_date(seconds: float) -> str:
    """Return the form of the ``Date`` header (RFC 9110, 5.6.7)."""
    return formatdate(seconds, usegmt=True)


def iso(seconds: float) -> str:
    """Return an RFC 3339 time in UTC, as our own JSON writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entra_timestamp(seconds: float) -> str:
    """Return the form that Entra's error JSON uses: a space instead of T."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def graph_date(seconds: float) -> str:
    """Return the form of Graph's ``innerError.date``: no zone at all."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
