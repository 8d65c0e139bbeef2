"""Whose request it is: the address of the client, past our own proxies.

Owns the reading of `X-Forwarded-For`, and the network that a client is counted by.
Never believes what a stranger wrote there, and never decides who may do what: an address is a label.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aiohttp import web
from multidict import istr

from servicekit.networks import UNKNOWN, Address, network_of, read_address, wide_network_of

_FORWARDED: Final = istr("X-Forwarded-For")
# Clients whose addresses are kept as they were read, and how long what names one may be for that: 2 MB at most.
_MOST_KEPT: Final = 4_096
_LONGEST_KEPT: Final = 256

_WITH_PORT: Final = re.compile(r"\[(.+)\](?::\d{1,5})?|([\d.]+):\d{1,5}")


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """The address of a client as text, and its networks: /24 or /56, /16 or /48; `unknown` where there is none.

    `behind` is the network of whoever it says it speaks for, where it is no proxy of ours: not believed, and only good
    to tell those apart who come by the same address.
    """

    text: str
    network: str
    wide: str = UNKNOWN
    behind: str | None = None


class ClientAddresses:
    """Reads clients' addresses; `trusted_proxies` are the addresses and networks of our own proxies."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._proxies = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]
        # Read once: an address is what its text says, whenever it comes again.
        self._kept = lru_cache(_MOST_KEPT)(self._read)
        self.is_trusted = lru_cache(_MOST_KEPT)(self._is_trusted)
        """Tells of a peer's address whether it is a proxy of ours."""

    def of(self, request: web.BaseRequest) -> ClientAddress:
        """Return the peer, or whom a trusted proxy names.

        `X-Forwarded-For` is read from the right, past our own proxies; what a stranger wrote there is not believed.
        """
        fields = request.headers
        if _FORWARDED not in fields:
            return self._kept(request.remote, "")
        forwarded = ",".join(fields.getall(_FORWARDED))
        read = self._kept if len(forwarded) <= _LONGEST_KEPT else self._read
        return read(request.remote, forwarded)

    @property
    def kept(self) -> int:
        """Of how many clients the address is kept."""
        return self._kept.cache_info().currsize

    def _read(self, peer: str | None, named_by_proxies: str) -> ClientAddress:
        client, forwarded = _parsed(peer), named_by_proxies.split(",")
        while client is not None and self._is_ours(client) and forwarded:
            named = _parsed(forwarded.pop())
            if named is None:
                break
            client = named
        if client is None:
            return ClientAddress(UNKNOWN, UNKNOWN)
        behind = _parsed(forwarded[-1]) if forwarded and not self._is_ours(client) else None
        return ClientAddress(
            str(client),
            network_of(client),
            wide_network_of(client),
            network_of(behind) if behind else None,
        )

    def _is_trusted(self, peer: str | None) -> bool:
        address = _parsed(peer)
        return address is not None and self._is_ours(address)

    def _is_ours(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _parsed(text: str | None) -> Address | None:
    """Read an address; proxies write a port behind it, and IPv4 as a part of IPv6."""
    named = (text or "").strip()
    if with_port := _WITH_PORT.fullmatch(named):
        named = with_port[1] or with_port[2]
    return read_address(named)
