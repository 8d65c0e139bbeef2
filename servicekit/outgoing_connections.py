"""The connections that a service opens to others: what they have in common, and how long an idle one is used again.

Owns the map and what TLS trusts. Never knows to whom they lead.
"""

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from yarl import URL

from servicekit.address_map import AddressMap
from servicekit.http_client.addresses import Addresses
from servicekit.http_client.client import HttpClient
from servicekit.http_client.connector import Connector

CONNECT_SECONDS: Final = 3
# How long an idle connection is used again. Servers close theirs after two seconds (gunicorn), five (Node.js, uvicorn)
# or more: a write that meets such an end is lost, and nobody may repeat it, so it goes by one that is young for sure.
REUSE_SECONDS: Final = 15
REUSE_FOR_WRITES_SECONDS: Final = 1
_MOST_TO_ONE: Final = 100


@dataclass(frozen=True, slots=True)
class Connections:
    """What all ways have in common: the map, what TLS trusts, how long connecting takes, and that they end together."""

    addresses: AddressMap
    tls: ssl.SSLContext
    connect_seconds: float
    closing: AsyncExitStack
    connector: Connector
    known: Addresses

    @classmethod
    def opened(
        cls, addresses: AddressMap, tls: ssl.SSLContext, connect_seconds: float, closing: AsyncExitStack
    ) -> "Connections":
        """Return them; they are closed with `closing`."""
        connector = Connector(tls, connect_seconds)
        closing.push_async_callback(connector.close)
        return cls(addresses, tls, connect_seconds, closing, connector, Addresses(addresses))

    def client(self, reuse_seconds: float, most: int | None) -> HttpClient:
        """Return what keeps idle connections for `reuse_seconds`, and has `most` to each server."""
        client = HttpClient(self.connector, reuse_seconds=reuse_seconds, most=most or _MOST_TO_ONE)
        self.closing.callback(client.close)
        return client

    def address_of(self, url: str) -> tuple[URL, dict[str, str]]:
        """Return where to connect to, with path and query as they stand, and the headers that it needs.

        A query in yarl's own keeping would lose its `?` where nothing follows it.
        """
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        address, extra = self.addresses.apply(f"{scheme}://{authority}")
        parts = urlsplit(address)
        return URL.build(scheme=parts.scheme, authority=parts.netloc, path=slash + path, encoded=True), extra
