"""How often one network may begin what costs us something before anybody is known.

Owns the count of sign-ins begun per network and the refusal beyond it, so that a stranger can fill neither Redis nor
the thread pool.
Never counts a step-up, whose person is signed in, and keeps its counts in the process: a limit that needs Redis would
be gone when Redis is. With several workers each of them counts.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from aiohttp import web

from gateway.edge.client_address import ClientAddresses
from gateway.errors import TooManyRequests

_MOST_ADDRESSES: Final = 10_000


class FlowLimit:
    """A bucket per network that refills over a minute; `now` is a monotonic clock in seconds."""

    def __init__(self, per_minute: int, addresses: ClientAddresses, *, now: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._addresses = addresses
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, request: web.Request) -> None:
        """Count one sign-in that the request's network begins; raises TooManyRequests when there were too many."""
        address = self._addresses.of(request).network
        now, rate = self._now(), self._per_minute / 60
        credit, counted_at = self._buckets.pop(address, (float(self._per_minute), now))
        credit = min(self._per_minute, credit + (now - counted_at) * rate)
        self._buckets[address] = (max(credit - 1, 0.0) if credit >= 1 else credit, now)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if credit < 1:
            raise TooManyRequests(
                "Too many sign-ins were started from this network. Wait a moment, then try again.",
                retry_after=max(1, round((1 - credit) / rate)),
            )
