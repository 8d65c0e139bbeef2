"""Whether all traffic comes by one proxy that GATEWAY_TRUSTED_PROXIES does not name.

Owns the telling of that from requests: nearly all of them come from one address, and say for whom it speaks. Then all
people share the limits of one network, and an operator should know.
Never believes what the header says, changes no limit, and takes nobody's word for it: a single stranger who sends the
header among others' requests is no proxy.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web
from multidict import istr

from servicekit.logs import log_event

FEWEST_REQUESTS: Final = 20
PART: Final = 0.9
"""Health checks and operators come by other ways."""
WINDOW_SECONDS: Final = 300.0
_MOST_PEERS: Final = 1_000
_FORWARDED_FOR: Final = istr("X-Forwarded-For")
_FORWARDED: Final = istr("Forwarded")
_REAL_IP: Final = istr("X-Real-IP")

_log = logging.getLogger(__name__)


class ProxyCounts(Protocol):
    """Whoever shows it to operators."""

    def untrusted_proxy(self, *, is_there: bool) -> None:
        """Hear whether there is such a proxy."""


class ProxyWatch:
    """Sees every request; `is_trusted` tells of a peer's address whether it is a proxy of ours.

    `on_found` is called with the address once in each window in which it was seen; `now` is a monotonic clock in
    seconds.
    """

    def __init__(
        self,
        is_trusted: Callable[[str | None], bool],
        *,
        now: Callable[[], float],
        counts: ProxyCounts,
        on_found: Callable[[str], None],
    ) -> None:
        self._is_trusted = is_trusted
        self._now = now
        self._counts = counts
        self._on_found = on_found
        self._began = now()
        self._requests = 0
        self._peers: Counter[str] = Counter()
        self._found = ""
        self._noted = False

    def see(self, request: web.BaseRequest) -> None:
        """Take notice of a request."""
        if self._now() - self._began >= WINDOW_SECONDS:
            self._begin_again()
        self._requests += 1
        fields = request.headers
        if not (_FORWARDED_FOR in fields or _FORWARDED in fields or _REAL_IP in fields):
            return
        peer = request.remote
        if peer is None or self._is_trusted(peer):
            return
        if peer in self._peers or len(self._peers) < _MOST_PEERS:
            self._peers[peer] += 1
        enough = self._requests >= FEWEST_REQUESTS and self._peers[peer] >= PART * self._requests
        if enough and not self._noted:
            self._noted = True
            if peer != self._found:
                self._found = peer
                self._counts.untrusted_proxy(is_there=True)
                log_event(
                    _log, logging.WARNING, "untrusted-proxy", peer=peer, setting="GATEWAY_TRUSTED_PROXIES"
                )
            self._on_found(peer)

    def _begin_again(self) -> None:
        if self._found and self._requests >= FEWEST_REQUESTS and not self._noted:
            self._found = ""
            self._counts.untrusted_proxy(is_there=False)
        self._began, self._requests, self._noted = self._now(), 0, False
        self._peers.clear()
