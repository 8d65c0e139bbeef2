"""How many exchanges with an upstream are under way, and for whom.

Owns that one person cannot have all the places of an upstream, however long their uploads and streams last.
Never knows what is exchanged; how many there may be in all is the way's own (`servicekit/upstream.py`).
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Final

from gateway.counts import Counts
from servicekit.errors import TooManyRequests

MOST_OF_ONE: Final = 64
"""Of one person, or of the strangers of one network, with one upstream: far more than a page has at a time."""
_RETRY_SECONDS: Final = 2


class OpenExchanges:
    """Those of one process, with `upstreams`, by their names."""

    def __init__(self, upstreams: Iterable[str], counts: Counts, *, most: int = MOST_OF_ONE) -> None:
        self.most = most
        self.by_owner: dict[tuple[str, Hashable], int] = {}
        self._upstreams = tuple(upstreams)
        counts.watch_upstream_exchanges(self._numbers)

    def one_more(self, upstream: str, owner: Hashable) -> "OneMore":
        """Count one while the block runs; raises TooManyRequests at its begin."""
        return OneMore(self, upstream, owner)

    def _numbers(self) -> Mapping[str, int]:
        """Return how many there are with each upstream."""
        numbers = dict.fromkeys(self._upstreams, 0)
        for (upstream, _), number in self.by_owner.items():
            numbers[upstream] += number
        return numbers


class OneMore:
    """A block that is counted; a generator for each request would cost more than the counting."""

    __slots__ = ("_exchanges", "_held")

    def __init__(self, exchanges: OpenExchanges, upstream: str, owner: Hashable) -> None:
        self._exchanges = exchanges
        self._held = (upstream, owner)

    def __enter__(self) -> None:
        exchanges, held = self._exchanges, self._held
        before = exchanges.by_owner.get(held, 0)
        if before >= exchanges.most:
            raise TooManyRequests(
                "Too many of your requests are under way. Wait until some of them have ended.",
                retry_after=_RETRY_SECONDS,
            )
        exchanges.by_owner[held] = before + 1

    def __exit__(self, *_: object) -> None:
        exchanges, held = self._exchanges, self._held
        if left := exchanges.by_owner[held] - 1:
            exchanges.by_owner[held] = left
        else:
            del exchanges.by_owner[held]
