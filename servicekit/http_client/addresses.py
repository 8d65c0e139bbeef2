"""Where requests go: the server to connect to, and what it is called in each request.

Owns what of an address is the same for all requests to a server, which is put together once.
Never opens a connection, and never changes a path or a query.
"""

import re
from dataclasses import dataclass
from typing import Final

from yarl import URL

from servicekit.address_map import AddressMap
from servicekit.http_client.request_head import SAYS_WHO

_PARTS: Final = re.compile(r"(https?://[^/?#]+)([^#]*)", re.IGNORECASE)
_MOST_KEPT: Final = 64
"""Servers that are known by heart: those of the settings, and those that their documents name."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server: `origin` is connected to, `lines` are the fields that each request to it has."""

    origin: URL
    lines: str


class Addresses:
    """The servers behind the authorities of URLs, by the map of local work."""

    def __init__(self, address_map: AddressMap) -> None:
        self._map = address_map
        self._kept: dict[str, Address] = {}

    def of(self, url: str) -> tuple[Address, str]:
        """Return the server of a URL, and the target of a request as it stands in the URL, byte for byte.

        Raises ValueError for what is no URL.
        """
        found = _PARTS.match(url)
        if found is None:
            raise ValueError("no address of a server")
        before, target = found.groups()
        address = self._kept.get(before) or self._read(before)
        return address, target if target[:1] == "/" else "/" + target

    def _read(self, before: str) -> Address:
        mapped, extra = self._map.apply(before)
        origin = URL(mapped).origin()
        host = extra.get("Host") or origin.host_port_subcomponent
        if host is None:
            raise ValueError("no address of a server")
        address = Address(origin, f"Host: {host}\r\n{SAYS_WHO}")
        if len(self._kept) < _MOST_KEPT:
            self._kept[before] = address
        return address
