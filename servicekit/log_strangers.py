"""Lines about requests of strangers, of whom anybody can send as many as they like: some as they are, then counts.

Owns how many lines of these there are in ten seconds: of one network so many about requests that were refused, and so
many about others, and a number in all that no army of networks exceeds. What comes beyond is counted by what the code
itself puts into a line (route, status, problem), with the networks that most of it came from and the first references.
Nobody's flood hides another network's lines before the number in all is reached, and none hides a line about somebody
who is known: such a line never comes here.
Never takes a warning or an error, which are folded by kind (`log_folding.py`).
"""

import logging
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

FIELDS: Final = "event_fields"
"""Where a record has the fields of its event."""
STRANGER: Final = "stranger"
"""Where a record has the network of the stranger that it is about."""

_WINDOW_SECONDS: Final = 10.0
# Of a kind: values that the code chooses, so that there are not more kinds than routes with what they answer.
OF_A_KIND: Final = ("method", "route", "status", "problem", "slug")
_MOST_KINDS: Final = 1_000
_MOST_NETWORKS: Final = 10_000
_MOSTOF_A_KIND: Final = 100
_NAMED: Final = 3
_MOST_REFERENCES: Final = 20
_REFUSED: Final = 400


class StrangerLimits(NamedTuple):
    """How many lines are written in ten seconds: of one network about refused requests and about others, and in all.

    A line is of some 250 bytes, so that all strangers together write 0.7 GB a day at most, and a process that nobody
    attacks loses nothing: a page and its files are some forty requests.
    """

    refused: int = 20
    others: int = 60
    in_all: int = 300


@dataclass(slots=True)
class _Kind:
    """What was counted of one kind; `last` is one of its records."""

    last: logging.LogRecord
    count: int = 0
    networks: Counter[str] = field(default_factory=Counter)
    references: list[Any] = field(default_factory=list)


class Strangers:
    """What is written as it is, and what is counted; `now` is a monotonic clock in seconds. One thread at a time."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        limits: StrangerLimits | None = None,
        window_seconds: float = _WINDOW_SECONDS,
    ) -> None:
        self._now = now
        self._limits = limits or StrangerLimits()
        self._window_seconds = window_seconds
        self._began = now()
        self._written: Counter[tuple[str, bool]] = Counter()
        self._in_all = 0
        self._kinds: dict[Hashable, _Kind] = {}

    def takes(self, record: logging.LogRecord, network: str) -> bool:
        """Return whether the record is counted; otherwise it is to be written."""
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        if self.lets_in(network, fields.get("status", 0)):
            return False
        kind = (record.name, record.msg, *(fields.get(each) for each in OF_A_KIND))
        self.count(kind, network, fields.get("reference"), lambda: record)
        return True

    def lets_in(self, network: str, status: int) -> bool:
        """Return whether a line about a request that was answered so is written, and take note of it then."""
        is_refused = status >= _REFUSED
        most = self._limits.refused if is_refused else self._limits.others
        place = (network, is_refused)
        is_room = place in self._written or len(self._written) < _MOST_NETWORKS
        if self._in_all < self._limits.in_all and is_room and self._written[place] < most:
            self._written[place] += 1
            self._in_all += 1
            return True
        return False

    def count(
        self, kind: tuple[Any, ...], network: str, reference: Any, record: Callable[[], logging.LogRecord]
    ) -> None:
        """Count a line that is not written; `record` is made where it is the first of its kind.

        `kind` begins with the name of the logger, then come the event and its values of `OF_A_KIND`.
        """
        name: Hashable = kind
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            name = kind[0]
        counted = self._kinds.get(name)
        if counted is None:
            counted = self._kinds[name] = _Kind(record())
        counted.count += 1
        if network in counted.networks or len(counted.networks) < _MOSTOF_A_KIND:
            counted.networks[network] += 1
        if reference and len(counted.references) < _MOST_REFERENCES:
            counted.references.append(reference)

    def due(self, *, at_the_end: bool = False) -> list[logging.LogRecord]:
        """Return one record for each kind that was counted, where the window is over; then the next one begins."""
        now = self._now()
        if not at_the_end and now < self._began + self._window_seconds:
            return []
        kinds = list(self._kinds.values())
        self._began, self._in_all = now, 0
        self._written.clear()
        self._kinds.clear()
        return [_counted(kind) for kind in kinds]


def _counted(kind: _Kind) -> logging.LogRecord:
    record = kind.last
    fields: dict[str, Any] = getattr(record, FIELDS, {})
    members: dict[str, Any] = {name: fields[name] for name in OF_A_KIND if name in fields}
    members |= {
        "repeated": kind.count,
        "networks": len(kind.networks),
        "most_from": dict(kind.networks.most_common(_NAMED)),
        "references": kind.references,
    }
    same = {name: getattr(record, name) for name in ("name", "levelno", "levelname", "pathname", "lineno")}
    return logging.makeLogRecord({**same, "msg": record.msg, FIELDS: members})
