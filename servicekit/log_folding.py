"""Warnings and errors of one kind that come one upon the other: the first ones as they are, then one with a count.

Owns which lines are of one kind. Of ours those whose logger, level, event and fields are the same, but for what is
different in every line (a reference, a duration); so nobody is hidden behind somebody else. Of outer libraries those
that begin alike and met the same exception at the same place: asyncio writes addresses of objects below.
Never folds what is no warning, but for lines about strangers (`log_strangers.py`), and never hides that there was
something: the count has the level of what it counts, and the references of the first of them.
"""

import logging
import time
import traceback
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from servicekit.log_strangers import FIELDS, STRANGER, Strangers

_FIRST: Final = 5
_WINDOW_SECONDS: Final = 10.0
# More are not told apart from what comes seldom, and are written as they are.
_MOST_KINDS: Final = 1_000
_MOST_REFERENCES: Final = 20
_OF_ONE_LINE: Final = frozenset({"reference", "milliseconds", "seconds"})
_OF_THE_FIRST: Final = _OF_ONE_LINE | {"traceback"}


@dataclass(slots=True)
class _Window:
    """What came of one kind since `began`; `last` is one of those that were folded."""

    began: float
    written: int = 0
    folded: int = 0
    references: list[Any] = field(default_factory=list)
    last: logging.LogRecord | None = None


class Folding:
    """What is written as it is, and what is counted; `now` is a monotonic clock in seconds. One thread at a time."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        first: int = _FIRST,
        window_seconds: float = _WINDOW_SECONDS,
        strangers: Strangers | None = None,
    ) -> None:
        self._now = now
        self.strangers = strangers or Strangers(now=now, window_seconds=window_seconds)
        self._first = first
        self._window_seconds = window_seconds
        self._windows: dict[Hashable, _Window] = {}

    def takes(self, record: logging.LogRecord) -> bool:
        """Return whether the record is folded, and count it then; otherwise it is to be written."""
        if record.levelno < logging.WARNING:
            network = getattr(record, STRANGER, None)
            return network is not None and self.strangers.takes(record, network)
        kind = _kind(record)
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= _MOST_KINDS:
                return False
            window = self._windows[kind] = _Window(self._now())
        if window.written < self._first:
            window.written += 1
            return False
        window.folded += 1
        window.last = record
        reference = _fields(record).get("reference")
        if reference and len(window.references) < _MOST_REFERENCES:
            window.references.append(reference)
        return True

    def due(self, *, at_the_end: bool = False) -> list[logging.LogRecord]:
        """Return one record for each kind that was folded and whose time is over, or for all of them."""
        until = self._now() - self._window_seconds
        over = [kind for kind, window in self._windows.items() if at_the_end or window.began <= until]
        windows = [self._windows.pop(kind) for kind in over]
        folded = [_counted(window.last, window) for window in windows if window.last]
        return folded + self.strangers.due(at_the_end=at_the_end)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, FIELDS, {})
    return fields


def _kind(record: logging.LogRecord) -> Hashable:
    own = [(name, repr(value)) for name, value in _fields(record).items() if name not in _OF_ONE_LINE]
    return record.name, record.levelno, _beginning(record), record.lineno, _place(record), *sorted(own)


def _place(record: logging.LogRecord) -> Hashable:
    """Return which exception a record tells of, and where it was raised; None where it tells of none."""
    kind, _, trace = record.exc_info or (None, None, None)
    *_, last = (None, *traceback.walk_tb(trace)) if trace else (None,)
    return kind, last and (last[0].f_code.co_filename, last[1])


def _beginning(record: logging.LogRecord) -> str:
    """Return the first line of what a record says, before its arguments are put in."""
    return str(record.msg).partition("\n")[0]


def _counted(record: logging.LogRecord, window: _Window) -> logging.LogRecord:
    fields = {name: value for name, value in _fields(record).items() if name not in _OF_THE_FIRST}
    fields |= {"repeated": window.folded}
    if window.references:
        fields |= {"references": window.references}
    same = {name: getattr(record, name) for name in ("name", "levelno", "levelname", "pathname", "lineno")}
    return logging.makeLogRecord({**same, "msg": _beginning(record), FIELDS: fields})
