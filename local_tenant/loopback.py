"""Which addresses are this machine's own, and nobody else's.

Owns that question alone; never looks a name up, so that `localhost` is the only name that counts.
"""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def leads_here(url: str) -> bool:
    """Tell whether an address is one of this machine; what is no address leads nowhere."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
