"""The `Host` field of a request, and the authority in its target: what host they name.

Owns which spellings are a host at all. A reader that skips what it does not know, as `urlsplit` skips `evil@`, would
judge another host than whoever wrote or passed on the field meant.
Never decides whether the host is ours, and never asks a resolver.
"""

import functools
import ipaddress
import re
from typing import Final

# Of what a registered name may have (RFC 3986, section 3.2.2), only what names in DNS are made of; an underscore is in
# some names of services. A name, or an address in brackets; then perhaps a colon and a port, which may be empty.
_HOST: Final = re.compile(
    r"(?:([a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)|\[([0-9a-f:.]{2,45})\])(?::([0-9]{0,5}))?", re.IGNORECASE
)
_LONGEST: Final = 255
_HIGHEST_PORT: Final = 65_535
# Browsers of a service say a few names again and again; strangers may say any.
_MOST_KEPT: Final = 256


def host_of(field: str) -> str | None:
    """Return the host that a field names, in small letters and without brackets; None for what is no host.

    An empty field names the empty host (RFC 9112, section 3.2). Refused, because nobody who asks us writes it: a user
    name, a path, a percent sign, letters beyond ASCII, a zone of an address, a port that is none.
    """
    if not field:
        return ""
    return _read(field) if len(field) <= _LONGEST else None


@functools.lru_cache(maxsize=_MOST_KEPT)
def _read(field: str) -> str | None:
    read = _HOST.fullmatch(field)
    if read is None:
        return None
    name, address, port = read.groups()
    if port and not 1 <= int(port) <= _HIGHEST_PORT:
        return None
    if address is None:
        return str(name).lower()
    try:
        return str(ipaddress.IPv6Address(address))
    except ValueError:
        return None
