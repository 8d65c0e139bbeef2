"""How many exchanges with an upstream are under way, and for whom.

Owns that one person cannot have all the places of an upstream, however long their uploads and streams last.
Never knows what is exchanged; how many there may be in all is the way's own (`servicekit/upstream.py`).
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.counts import Counts
from servicekit.errors import TooManyRequests

MOST_OF_ONE: Final = 64
"""Of one person, or of the strangers of one network, with one upstream: far more than a page has at a time."""
_RETRY_SECONDS: Final = 2


class OpenExchanges:
    """Those of one process."""

    def __init__(self, counts: Counts, *, most: int = MOST_OF_ONE) -> None:
        self._counts = counts
        self._most = most
        self._by_owner: Counter[tuple[str, str]] = Counter()
        self._by_upstream: Counter[str] = Counter()

    @contextmanager
    def one_more(self, upstream: str, owner: str) -> Iterator[None]:
        """Count one while the block runs; raises TooManyRequests."""
        held = (upstream, owner)
        if self._by_owner[held] >= self._most:
            raise TooManyRequests(
                "Too many of your requests are under way. Wait until some of them have ended.",
                retry_after=_RETRY_SECONDS,
            )
        self._add(held, 1)
        try:
            yield
        finally:
            self._add(held, -1)
            if not self._by_owner[held]:
                del self._by_owner[held]

    def _add(self, held: tuple[str, str], more: int) -> None:
        upstream, _ = held
        self._by_owner[held] += more
        self._by_upstream[upstream] += more
        self._counts.upstream_exchanges(upstream, self._by_upstream[upstream])
