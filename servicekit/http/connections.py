"""The connections of clients: how many there are, and which of them makes room for the next.

Owns the count, in all and by network, and the order in which connections were heard of. A connection that is not in the
middle of a request, whether it said nothing, half of a head, or was answered, is closed where the next one needs its
place: the one that kept quiet for longest goes first, and those of a network that has many before all others.
Never accepts one (`limited_site.py`), and never ends a request to make room, unless its reader lets the answer lie.

A network may have three times as many connections as there are places left. So one address alone never gets more than
three quarters of all places, two not more than three sevenths each, and the next one always finds some. A fixed number
would shut out an office, or everybody behind a proxy that nobody told us of, while most places are empty.
"""

import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from servicekit.http.descriptors import MOST_CONNECTIONS
from servicekit.logs import log_event

# The next time that a limit is reached is worth a line only if it was left by so much meanwhile.
_LEFT: Final = 0.75

IN_USE_SECONDS: Final = 5.0
"""A connection that was quiet for less is one whose client may be about to ask again."""
UNREAD_SECONDS: Final = 30.0
"""An answer that its reader has not taken by then makes room; a slow network takes less for what we send."""
_CROWDED_SECONDS: Final = 1.0
_TIMES_WHAT_IS_LEFT: Final = 3
# A network with a sixteenth of all places has many: there are few of them, so that the largest is found at once. What
# two browsers open is never many.
_MANY: Final = 16
_FEW: Final = 12
# Of a network's own connections, so many are asked for room: the rest would only take time.
_ASKED: Final = 16

_log = logging.getLogger(__name__)


class Connection(Protocol):
    """What is asked of a connection."""

    @property
    def network(self) -> str | None:
        """The network that it is counted by; None for one of our own proxies, which has no limit of its own."""

    @property
    def is_unused(self) -> bool:
        """Whether it is in no request."""

    @property
    def is_lingering(self) -> bool:
        """Whether it was answered, and only the rest of a body that nobody wants is still awaited."""

    @property
    def is_unread(self) -> bool:
        """Whether its reader has yet to take more of an answer than the system has room for."""

    def abandon(self) -> None:
        """Close it without waiting for anybody."""


class Connections:
    """The connections of one server, `most` at a time; the one that was heard of longest ago comes first."""

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        self.most = most
        self.in_use_seconds = IN_USE_SECONDS
        self.unread_seconds = UNREAD_SECONDS
        self.closed_for_room = 0
        self.refused = 0
        """How many were closed as soon as they came, because their network had too many at work."""
        self.is_waited_for = False
        """Whether somebody waits outside, and all that there are work."""
        self._open: OrderedDict[Connection, float] = OrderedDict()
        self._by_network: defaultdict[str, OrderedDict[Connection, None]] = defaultdict(OrderedDict)
        self._large: set[str] = set()
        self._crowded_until: dict[str | None, float] = {}
        self._on_room: Callable[[], None] = lambda: None
        self._is_known_to_be_full = False
        self._known_to_be_at_limit: set[str] = set()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> "Iterator[Connection]":
        """Go through those that there are now."""
        return iter(list(self._open))

    def is_crowded_for(self, connection: Connection) -> bool:
        """Tell whether those that make room are still in use, or none can: it had better come anew.

        Those of a network that has many make room before all others, and nobody else is told so for them.
        """
        if self.is_waited_for:
            return True
        if not self._crowded_until:
            return False
        now = time.monotonic()
        return any(now < self._crowded_until.get(place, 0.0) for place in (None, connection.network))

    def when_there_is_room(self, call: Callable[[], None]) -> None:
        """Call this when a connection ended while somebody waited."""
        self._on_room = call

    def add(self, connection: Connection) -> None:
        """Count a connection, from the moment that it has a descriptor."""
        self._open.setdefault(connection, time.monotonic())
        if connection.network:
            own = self._by_network[connection.network]
            own.setdefault(connection)
            if len(own) > self._many:
                self._large.add(connection.network)

    def heard_of(self, connection: Connection) -> None:
        """Note that there was something just now; what was closed to make room is not counted again."""
        if connection in self._open:
            self._open[connection] = time.monotonic()
            self._open.move_to_end(connection)
            if connection.network:
                self._by_network[connection.network].move_to_end(connection)

    def remove(self, connection: Connection) -> None:
        """Count a connection no more."""
        self._forget(connection)
        if len(self._open) < _LEFT * self.most:
            self._is_known_to_be_full = False
        if self.is_waited_for:
            self.is_waited_for = False
            self._on_room()

    def has_room(self) -> bool:
        """Tell whether one more connection can be let in, perhaps in the place of one that there is."""
        self.is_waited_for = False
        if len(self._open) < self.most:
            return True
        if not self._is_known_to_be_full:
            self._is_known_to_be_full = True
            log_event(_log, logging.WARNING, "connections-at-limit", most=self.most)
        self.is_waited_for = self._first_to_go(self._open, len(self._open)) is None
        return not self.is_waited_for

    def make_room(self, network: str | None) -> bool:
        """Make room for a connection from `network` that is there already; False where it is itself the one to go.

        To be called where there is room in all.
        """
        if network and self._has_too_many(network):
            own = self._by_network[network]
            first = self._of_the_largest(above=network) or self._first_to_go(own, _ASKED)
            if first is None:
                self.refused += 1
                return False
            self._close(first)
        elif len(self._open) >= self.most and (first := self._of_the_largest() or self._of_all()):
            self._close(first)
        return True

    def close_some(self, count: int) -> None:
        """Close the first ones of those that are not in the middle of a request, `count` at most."""
        for connection in [known for known in self._open if self._may_go(known)][:count]:
            self._close(connection)

    @property
    def _many(self) -> int:
        return max(_FEW, self.most // _MANY)

    def _has_too_many(self, network: str) -> bool:
        if network not in self._large:
            return False
        held = len(self._by_network[network])
        if held < _TIMES_WHAT_IS_LEFT * (self.most - len(self._open)):
            return False
        if network not in self._known_to_be_at_limit:
            self._known_to_be_at_limit.add(network)
            log_event(_log, logging.WARNING, "connections-of-a-network-at-limit", network=network, held=held)
        return True

    def _of_the_largest(self, *, above: str | None = None) -> Connection | None:
        """Return who makes room of the network that has most; of one that has more than `above`, where that is said."""
        largest = max(self._large, key=lambda name: len(self._by_network[name]), default=None)
        if largest is None or len(self._by_network[largest]) <= len(self._by_network.get(above or "", ())):
            return None
        return self._first_to_go(self._by_network[largest], _ASKED)

    def _of_all(self) -> Connection | None:
        return self._first_to_go(self._open, len(self._open))

    def _first_to_go(self, order: "OrderedDict[Connection, Any]", most: int) -> Connection | None:
        """Return the first that may go among the first `most`; who may not is asked after all others the next time."""
        for _ in range(min(most, len(order))):
            connection = next(iter(order))
            if self._may_go(connection):
                return connection
            order.move_to_end(connection)  # it works
        return None

    def _may_go(self, connection: Connection) -> bool:
        if connection.is_unused or connection.is_lingering:
            return True
        return connection.is_unread and self._open[connection] + self.unread_seconds < time.monotonic()

    def _forget(self, connection: Connection) -> float | None:
        heard_at = self._open.pop(connection, None)
        network = connection.network
        if network and (own := self._by_network.get(network)) is not None:
            own.pop(connection, None)
            if len(own) <= self._many:
                self._large.discard(network)
                self._known_to_be_at_limit.discard(network)
                self._crowded_until.pop(network, None)
            if not own:
                del self._by_network[network]
        return heard_at

    def _close(self, connection: Connection) -> None:
        crowded = connection.network if connection.network in self._large else None
        heard_at = self._forget(connection)
        if heard_at is not None:
            self.closed_for_room += 1
            now = time.monotonic()
            if now < heard_at + self.in_use_seconds:
                self._crowded_until[crowded] = now + _CROWDED_SECONDS
            connection.abandon()
