"""Tokens that cannot be believed, counted by the network that they come from.

Owns how many are answered with what is wrong, and the line of the log about the rest.
Never refuses a good token: all of them come from the few addresses of the gateways, and so may bad ones.
"""

import logging
import math
from collections.abc import Callable
from typing import Final

from aiohttp import web

from servicekit.errors import TooManyRequests
from servicekit.leaky_buckets import Bucket, LocalBuckets
from servicekit.logs import log_event
from servicekit.networks import network_of, read_address
from servicekit.rare_lines import RareLines

A_MINUTE: Final = 600
_SECONDS: Final = 60

_log = logging.getLogger(__name__)


class BadTokens:
    """Counts them, six hundred in a minute for each network; `now` is a monotonic clock in seconds."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._held = LocalBuckets(now=now)
        self._lines = RareLines(now=now)

    def count(self, request: web.Request) -> None:
        """Count the bad token of a request; raises TooManyRequests where there were too many."""
        network = network_of(read_address(request.remote))
        bucket = [Bucket(network, A_MINUTE, _SECONDS)]
        verdict = self._held.judge(bucket)
        if verdict.fits:
            self._held.add(bucket)
            return
        if refused := self._lines.one_more(network):
            log_event(_log, logging.WARNING, "rate-limited", limit="tokens", refused=refused, network=network)
        raise TooManyRequests(
            "Too many access tokens came from this network that cannot be believed.",
            retry_after=max(1, math.ceil(verdict.wait)),
        )
