"""Whether our clock and another's tell the same time.

Owns the comparison: with the `Date` of another server's answers (RFC 9110, section 6.6.1), with the moment at which a
token that came just now says it was issued, with the time that a server tells; and the one warning an hour: clocks that
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

# A minute below what tokens are given as a rule (two minutes): told before anything is refused.
TOLERATED_SECONDS: Final = 60
_AGAIN_SECONDS: Final = 3600
_NTP: Final = "set this machine's clock by NTP: tokens are refused as too new or too old otherwise"

_log = logging.getLogger(__name__)


class ClockWatch:
    """Compares our clock with one other; may be used from several threads.

    `whose` is what the other is called, and `remedy` what to do about a difference. `now` is the wall clock,
    `monotonic` counts the hour. `on_difference` hears of every comparison by how many whole seconds ours is ahead.
    """

    def __init__(
        self,
        whose: str = "the authority",
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        on_difference: Callable[[int], None] | None = None,
        remedy: str = _NTP,
    ) -> None:
        self._whose = whose
        self._now = now
        self._monotonic = monotonic
        self._on_difference = on_difference
        self._remedy = remedy
        self._not_before: float | None = None

    def compare(self, date: str | None) -> None:
        """Look at the `Date` of an answer that came just now, and warn where clocks differ by more than a minute."""
        try:
            answer_date = parsedate_to_datetime(date or "")
        except ValueError:
            return
        self.compare_time(
            (answer_date if answer_date.tzinfo else answer_date.replace(tzinfo=UTC)).timestamp()
        )

    def compare_time(self, theirs: float) -> int:
        """Look at what another clock says now (s since 1970), and warn as `compare`; return how far ours is ahead."""
        ours = round(self._now() - theirs)
        if self._on_difference:
            self._on_difference(ours)
        if abs(ours) > TOLERATED_SECONDS:
            self._warn(ours)
        return ours

    def _warn(self, ours: int) -> None:
        moment = self._monotonic()
        if self._not_before is not None and moment < self._not_before:
            return
        self._not_before = moment + _AGAIN_SECONDS
        way = "ahead of" if ours > 0 else "behind"
        log_event(
            _log,
            logging.WARNING,
            "clocks-differ",
            seconds=ours,
            whose=self._whose,
            meaning=f"the clocks differ by {abs(ours)} s, and ours is {way} that of {self._whose}",
            remedy=self._remedy,
        )
