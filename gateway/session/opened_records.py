"""What was read of a session at one mark, and is shared by the requests that find the session so.

Owns what of it was opened since, and what it becomes when this process writes to the session itself: what Redis holds
then, where nobody else has written in between, and nothing that anybody uses where somebody has.
Never asks Redis: whether the mark holds is asked by whoever opens a session again (`sessions.py`).
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.store.fields import Field, end_of, number_of
from gateway.store.vault import WRITES, Stored
from gateway.store.written import Written

Mark = tuple[bytes | None, bytes | None]
"""When a session was used last, and how often it was written, as Redis holds both."""

MOST_NAMES: Final = 64
"""Records of one session, in one minute: routes name a handful, and a stranger's words may be among them."""
MOST_GROWTH: Final = 1_000
"""Bytes that may come by writes of ours before they are counted among all that is kept."""


class OpenedRecords:
    """What was read of a session at one `mark`, and what of that was opened since.

    Requests share it while the mark holds. `stored` is never changed in its place. `is_current` is False while this
    process writes to the session, and for ever where it is not known what that led to. `grown` is how many bytes it has
    gained by what this process wrote.
    """

    __slots__ = ("_own", "_results", "_values", "grown", "is_current", "mark", "stored")

    def __init__(self, stored: Stored, mark: Mark = (None, None)) -> None:
        self.stored = stored
        self.mark = mark
        self.is_current = True
        self.grown = 0
        self._own: dict[str, Field] = {}
        self._values: dict[str, tuple[Field, Any]] = {}
        self._results: dict[str, tuple[float, Any]] = {}

    def value(self, name: str, now: float) -> Any:
        """Return a record that was opened before; None where it was not, or has ended by `now`."""
        known = self._values.get(name)
        return known[1] if known and now < known[0].expires_at else None

    def keep_value(self, name: str, field: Field, value: Any) -> None:
        """Keep a record that was opened; it is used until its own end."""
        self._values[name] = (field, value)

    def own(self, name: str, now: float) -> Field | None:
        """Return a record as this process wrote it; None where it did not, or the record has ended by `now`."""
        known = self._own.get(name)
        return known if known and now < known.expires_at else None

    def result(self, name: str, now: float) -> Any:
        """Return what follows from the records and was kept; None where there is nothing that is good now."""
        known = self._results.get(name)
        return known[1] if known and now < known[0] else None

    def keep_result(self, name: str, result: Any, until: float) -> None:
        """Keep what follows from the records, and is good until then (seconds since 1970)."""
        self._results[name] = (until, result)

    def carry_over(self, written: Written, fields: Mapping[str, Field | None]) -> None:
        """Become what the session is after this process wrote `fields`, and be current again.

        Only where that was the very next write after the mark: then Redis holds what it held at the mark, and what
        `written` says. With anybody else's write in between, or the same one twice, it stays as it is for whoever has
        it already, and nobody finds it any more; nor where it has grown by more than is counted for it.
        """
        seen, writes = self.mark
        if not (written.is_whole and seen and written.writes == number_of(writes) + 1):
            return
        mark = b"%d" % written.writes
        stored = {**self.stored, **written.stored, WRITES: mark}
        grown = self.grown + _growth(self.stored, written.stored)
        if grown > MOST_GROWTH or len(stored) > MOST_NAMES:
            return
        for name, value in written.stored.items():
            self._values.pop(name, None)
            self._own.pop(name, None)
            if value and (field := fields.get(name)):
                self._own[name] = Field(field.value, end_of(value))
        self._results = {}
        self.stored, self.mark, self.grown = stored, (seen, mark), grown
        self.is_current = True


def _growth(before: Stored, written: Stored) -> int:
    """Return how many bytes more there are, names included, once `written` has come to what was there `before`."""
    return sum(
        len(value or b"") + (-len(before[name] or b"") if name in before else len(name))
        for name, value in written.items()
    )
