"""How often one address may begin what costs us something before anybody is known.

Owns the count of sign-ins begun per address and the refusal beyond it, so that a stranger can fill neither Redis nor
the thread pool.
Never counts a step-up, whose person is signed in, and keeps its counts in the process: a limit that needs Redis would
be gone when Redis is. With several workers each of them counts.
"""

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from gateway.errors import TooManyRequests

_MOST_ADDRESSES: Final = 10_000
_IPV6_SITE: Final = 64
_WITH_PORT: Final = re.compile(r"\[(.+)\](?::\d{1,5})?|([\d.]+):\d{1,5}")


class FlowLimit:
    """A bucket per address that refills over a minute; `now` is a monotonic clock in seconds."""

    def __init__(self, per_minute: int, trusted_proxies: Iterable[str], *, now: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._proxies = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, request: web.Request) -> None:
        """Count one sign-in that the request's address begins; raises TooManyRequests when there were too many."""
        address = self.address(request)
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

    def address(self, request: web.Request) -> str:
        """Return whose request it is: the peer, or whom a trusted proxy names; of IPv6 the network of a household.

        `X-Forwarded-For` is read from the right, past our own proxies; what a stranger wrote there is not believed.
        """
        peer = _parsed(request.remote)
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        while peer is not None and self._is_ours(peer) and forwarded:
            named = _parsed(forwarded.pop())
            if named is None:
                break
            peer = named
        if peer is None:
            return "unknown"
        if peer.version == 6:  # noqa: PLR2004 - of the internet protocol
            return str(ipaddress.ip_network((peer, _IPV6_SITE), strict=False))
        return str(peer)

    def _is_ours(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(address in network for network in self._proxies)


def _parsed(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; proxies write a port behind it, and IPv4 as a part of IPv6."""
    named = (text or "").strip()
    if with_port := _WITH_PORT.fullmatch(named):
        named = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(named)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
