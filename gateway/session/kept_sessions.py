"""Sessions that this process has opened a moment ago, so that the next request need not open them again.

Owns how many are kept and for how long: none for longer than a minute, and no more than there is room for. Whether one
may be used is not known here: its mark is asked of Redis by every request (`sessions.py`), so that a session that ended
anywhere has ended here.
Never reads a record, and never keeps a session that no request has opened by its cookie.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

KEPT_SECONDS: Final = 60.0
MOST_BYTES: Final = 33_554_432
"""Of a process; a session takes some ten thousand, and most people ask again within seconds or not at all."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    session: T
    size: int
    until: float


class KeptSessions(Generic[T]):
    """Opened sessions by what the browser sent, the one that was opened longest ago first.

    Each is kept for `seconds`, and `now` is a monotonic clock in seconds; `most_bytes` is for all of them together, by
    the sizes that come with them.
    """

    def __init__(
        self, *, now: Callable[[], float], seconds: float = KEPT_SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._now = now
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._bytes = 0
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> T | None:
        """Return the session that is kept under `key`; None where there is none, or it was kept for too long."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if self._now() >= kept.until:
            self.drop(key)
            return None
        return kept.session

    def keep(self, key: str, session: T, size: int) -> None:
        """Keep a session that was opened just now, in the place of an older one; those that are too many go."""
        self.drop(key)
        size += len(key)  # what a browser sends beside our cookie may be longer than all else
        self._kept[key] = _Kept(session, size, self._now() + self._seconds)
        self._bytes += size
        self._make_room()
        self._sweep_later()

    def resize(self, key: str, size: int) -> None:
        """Hear that a session takes another number of bytes by now; it is kept no longer for that."""
        if kept := self._kept.get(key):
            size += len(key)
            self._bytes += size - kept.size
            self._kept[key] = _Kept(kept.session, size, kept.until)
            self._make_room()

    def drop(self, key: str) -> None:
        """Keep a session no longer."""
        if kept := self._kept.pop(key, None):
            self._bytes -= kept.size

    def _make_room(self) -> None:
        while self._bytes > self._most_bytes:
            self.drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Keep none of them."""
        self._kept.clear()
        self._bytes = 0
        if self._sweep:
            self._sweep.cancel()
            self._sweep = None

    def _sweep_later(self) -> None:
        """See to it that whoever does not come back is forgotten as well."""
        if self._sweep is None and self._kept:
            self._sweep = asyncio.get_running_loop().call_later(self._seconds / 4, self._forget_old)

    def _forget_old(self) -> None:
        self._sweep = None
        now = self._now()
        for key in [key for key, kept in self._kept.items() if now >= kept.until]:
            self.drop(key)
        self._sweep_later()
