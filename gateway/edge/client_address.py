"""Whose request it is: the address of the client, past our own proxies.

Owns the reading of `X-Forwarded-For`, and the network that a client is counted by.
Never believes what a stranger wrote there, and never decides who may do what: an address is a label.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

_NETWORK_BITS: Final = {4: 24, 6: 56}
"""By version of the internet protocol: what one household or one small network is given (RFC 6177, section 2)."""
_WITH_PORT: Final = re.compile(r"\[(.+)\](?::\d{1,5})?|([\d.]+):\d{1,5}")
UNKNOWN: Final = "unknown"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """The address of a client as text, and its network, /24 or /56; both `unknown` where there is none."""

    text: str
    network: str


class ClientAddresses:
    """Reads clients' addresses; `trusted_proxies` are the addresses and networks of our own proxies."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._proxies = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]

    def of(self, request: web.BaseRequest) -> ClientAddress:
        """Return the peer, or whom a trusted proxy names.

        `X-Forwarded-For` is read from the right, past our own proxies; what a stranger wrote there is not believed.
        """
        client = _parsed(request.remote)
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        while client is not None and self._is_ours(client) and forwarded:
            named = _parsed(forwarded.pop())
            if named is None:
                break
            client = named
        if client is None:
            return ClientAddress(UNKNOWN, UNKNOWN)
        network = ipaddress.ip_network((client, _NETWORK_BITS[client.version]), strict=False)
        return ClientAddress(str(client), str(network))

    def _is_ours(self, address: _Address) -> bool:
        return any(address in network for network in self._proxies)


def _parsed(text: str | None) -> _Address | None:
    """Read an address; proxies write a port behind it, and IPv4 as a part of IPv6.

    The zone of an IPv6 address (RFC 4007, section 11) is left out: it is any text, and names a cable of ours.
    """
    named = (text or "").strip()
    if with_port := _WITH_PORT.fullmatch(named):
        named = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(named)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address
