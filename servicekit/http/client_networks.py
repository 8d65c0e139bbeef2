"""Which network a connection comes from, as far as connections are counted by networks.

Owns that our own proxies are of no network: behind them are all clients there are. An address is a label here: whoever
has it is not known, and nothing is allowed because of it.
Never reads a header: a connection has a peer, and what a request names as its client is the service's to judge.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from servicekit.networks import network_of, read_address


class ClientNetworks:
    """Names the networks of peers; `trusted_proxies` are the addresses and networks of our own proxies."""

    def __init__(self, trusted_proxies: Iterable[str] = ()) -> None:
        self._proxies = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]

    def of(self, peer: str) -> str | None:
        """Return the network of a peer's address; None for one of our proxies, and for what has no address."""
        address = read_address(peer)  # none for a socket of Unix: who is behind it is on this computer
        if address is None or any(address in network for network in self._proxies):
            return None
        return network_of(address)


CLIENT_NETWORKS: Final[web.AppKey[ClientNetworks]] = web.AppKey("client_networks")
"""Where an application leaves them for the server below it."""
