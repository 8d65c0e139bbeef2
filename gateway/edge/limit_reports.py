"""What is told of a limit that somebody met: a count for each, and a line of the log for each caller, once a minute.

Owns the one place by which every refusal goes.
Never refuses anything, and never names a person: callers say by which words the log may name them.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from gateway.edge.limit_rules import Caller, Limit
from servicekit.logs import log_event
from servicekit.rare_lines import RareLines

_log = logging.getLogger(__name__)


class LimitCounts(Protocol):
    """Whoever counts refusals."""

    def limited(self, limit: str) -> None:
        """Hear that a limit refused a request."""


class LimitReports:
    """Tells of refusals; `now` is a monotonic clock in seconds."""

    def __init__(self, counts: LimitCounts, *, now: Callable[[], float]) -> None:
        self._counts = counts
        self._lines = RareLines(now=now)

    def refused(self, limit: Limit, caller: Caller) -> None:
        """Tell that a limit refused a caller."""
        self._counts.limited(limit.value)
        if refused := self._lines.one_more((limit, caller.name)):
            log_event(
                _log,
                logging.WARNING,
                "rate-limited",
                limit=limit.value,
                refused=refused,
                network=caller.network,
                session=caller.session,
            )
