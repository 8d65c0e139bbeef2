"""Whether our clock and another server's tell the same time.

Owns the comparison with the `Date` of its answers (RFC 9110, section 6.6.1), and the one warning an hour: clocks that
differ refuse good tokens, and nothing in such a refusal says why.
Never corrects anything.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from servicekit.logs import log_event

# A minute below what tokens are given (two minutes): told before anything is refused.
TOLERATED_SECONDS: Final = 60
_AGAIN_SECONDS: Final = 3600

_log = logging.getLogger(__name__)


class ClockWatch:
    """Compares clocks; `now` is the wall clock, `monotonic` counts the hour. May be used from several threads."""

    def __init__(
        self, *, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._not_before: float | None = None

    def compare(self, date: str | None) -> None:
        """Look at the `Date` of an answer that came just now, and warn where clocks differ by more than a minute."""
        try:
            answer_date = parsedate_to_datetime(date or "")
        except ValueError:
            return
        theirs = (answer_date if answer_date.tzinfo else answer_date.replace(tzinfo=UTC)).timestamp()
        ours = round(self._now() - theirs)
        if abs(ours) <= TOLERATED_SECONDS:
            return
        moment = self._monotonic()
        if self._not_before is not None and moment < self._not_before:
            return
        self._not_before = moment + _AGAIN_SECONDS
        log_event(
            _log,
            logging.WARNING,
            "clocks-differ",
            seconds=ours,
            meaning=f"the clocks differ by {abs(ours)} s, and ours is {'ahead' if ours > 0 else 'behind'}",
            remedy="set this machine's clock by NTP: tokens are refused as too new or too old otherwise",
        )
