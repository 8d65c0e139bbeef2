"""The connections that a service opens to others: what they have in common, and that each is used for one thing.

Owns the map, what TLS trusts, how long an idle connection is used again, and the two ways in which aiohttp would do
more than we asked for: it repeats PUT and DELETE where a connection was cut, and it takes what a server says on an idle
connection for the answer to the next request, which may be somebody else's.
Never knows to whom they lead.
"""

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.client_reqrep import ClientRequest, ClientResponse
from aiohttp.connector import Connection
from yarl import URL

from servicekit.address_map import AddressMap

CONNECT_SECONDS: Final = 3
# How long an idle connection is used again. Servers close theirs after two seconds (gunicorn), five (Node.js, uvicorn)
# or more: a write that meets such an end is lost, and nobody may repeat it, so it goes by one that is young for sure.
REUSE_SECONDS: Final = 15
REUSE_FOR_WRITES_SECONDS: Final = 1
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST: Final = 200
_MOST_TO_ONE: Final = 100
_MOST_UNCLEAN: Final = 3


@dataclass(frozen=True, slots=True)
class Connections:
    """What all ways have in common: the map, what TLS trusts, how long connecting takes, and that they end together."""

    addresses: AddressMap
    tls: ssl.SSLContext
    connect_seconds: float
    closing: AsyncExitStack

    def session(self, reuse_seconds: float, limit: int | None) -> aiohttp.ClientSession:
        """Return a session that keeps idle connections for `reuse_seconds`, and `limit` of them in all."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self.tls,
                limit=limit or _MOST,
                limit_per_host=0 if limit else _MOST_TO_ONE,
                keepalive_timeout=reuse_seconds,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.connect_seconds),
            trust_env=False,
            auto_decompress=True,
            request_class=_CleanRequest,
            middlewares=(_send_once,),
        )
        self.closing.push_async_callback(session.close)
        return session

    def address_of(self, url: str) -> tuple[URL, dict[str, str]]:
        """Return where to connect to, with path and query as they stand, and the headers that it needs.

        A query in yarl's own keeping would lose its `?` where nothing follows it.
        """
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        address, extra = self.addresses.apply(f"{scheme}://{authority}")
        parts = urlsplit(address)
        return URL.build(scheme=parts.scheme, authority=parts.netloc, path=slash + path, encoded=True), extra


class _UncleanConnectionError(aiohttp.ServerDisconnectedError):
    """The other side spoke before it was asked. Nothing was sent."""


class _CutOnceError(aiohttp.ClientError):
    """A connection was cut, and what may have been sent by it is not sent again."""


class _CleanRequest(ClientRequest):
    """A request that goes by no connection on which the other side has said something unasked.

    An answer too many, or the rest of one, would be taken for the answer to this request, and that of this one for the
    answer to the next (RFC 9112, section 9.2: such a response is to be discarded, and the connection closed).
    """

    async def send(self, conn: Connection) -> ClientResponse:
        """Send it, or raise for a connection that is not to be used."""
        if conn.protocol is None or conn.protocol.should_close:
            conn.close()
            raise _UncleanConnectionError
        return await super().send(conn)


async def _send_once(request: ClientRequest, handler: aiohttp.ClientHandlerType) -> ClientResponse:
    """Take another connection where nothing was sent, and let nothing but reads be repeated by aiohttp.

    It repeats what RFC 9110, section 9.2.2, calls idempotent; a PUT that another one overtook is not.
    """
    tries = _MOST_UNCLEAN
    while True:
        try:
            return await handler(request)
        except _UncleanConnectionError:
            tries -= 1
            if not tries:
                raise
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            if request.method in READS and request.body == b"":
                raise
            raise _CutOnceError from error
