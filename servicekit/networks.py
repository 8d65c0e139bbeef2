"""The networks that an address belongs to, as limits count them.

Owns their sizes. IPv4 within IPv6 counts as IPv4.
Never decides whose address a request has.
"""

import ipaddress
from typing import Final

UNKNOWN: Final = "unknown"
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SITE_BITS: Final = {4: 24, 6: 56}
"""By version of the internet protocol: what one household or one small network is given (RFC 6177, section 2)."""
_WIDE_BITS: Final = {4: 16, 6: 48}
"""What whoever rents machines, or is given a site of some size, can come from."""


def read_address(text: str | None) -> Address | None:
    """Return the address that a text stands for, or None.

    The zone of an IPv6 address (RFC 4007, section 11) is left out: it is any text, and names a cable of ours.
    """
    try:
        address = ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address


def network_of(address: Address | None) -> str:
    """Return the network, /24 or /56, or `unknown`."""
    return _network(address, _SITE_BITS)


def wide_network_of(address: Address | None) -> str:
    """Return the network around that, /16 or /48, or `unknown`."""
    return _network(address, _WIDE_BITS)


def _network(address: Address | None, bits: dict[int, int]) -> str:
    if address is None:
        return UNKNOWN
    return str(ipaddress.ip_network((address, bits[address.version]), strict=False))
