"""Whether two addresses name the same host, or the same computer in other words.

Owns the spellings of a host. Never compares ports: cookies know none (RFC 6265, section 8.5). Never asks a resolver.
"""

import enum
import ipaddress
from urllib.parse import urlsplit

from servicekit.http.host_field import host_of
from servicekit.setting_forms import LOOPBACK_HOSTS


class Likeness(enum.Enum):
    """How two hosts are alike for a browser, and so for its cookies."""

    SAME = enum.auto()
    """Cookies of one are sent to the other."""
    SPELLING = enum.auto()
    """Both lead here, and cookies of one are not sent to the other."""
    ANOTHER = enum.auto()


def compare_hosts(one: str, other: str) -> Likeness:
    """Compare the hosts of two addresses, each with `//` before its host; one that cannot be read is like no other."""
    first, second = _host(one), _host(other)
    if first is None or second is None:
        return Likeness.ANOTHER
    if first == second:
        return Likeness.SAME
    bare = {first.removesuffix("."), second.removesuffix(".")}
    return Likeness.SPELLING if len(bare) == 1 or all(map(_is_loopback, bare)) else Likeness.ANOTHER


def _host(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:  # such as an open bracket
        return None
    # What stands behind the host is of no host, and a reader that skips it may be the only one.
    return None if parts.path or parts.query or parts.fragment else host_of(parts.netloc) or None


def _is_loopback(name: str) -> bool:
    """Tell whether a host is this computer: a name of RFC 6761, section 6.3, or an address."""
    if name in LOOPBACK_HOSTS or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    # Browsers reach this computer by the unspecified address, too.
    return bool(mapped.is_loopback or mapped.is_unspecified)
