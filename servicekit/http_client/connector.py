"""Where connections come from: aiohttp's connector finds the address, connects and agrees on TLS.

Owns the one door to it, and that a connection is handed over clean. Looking a name up once for all who connect, trying
IPv6 and IPv4 side by side (RFC 8305), the name for SNI and its check against the certificate are the connector's work.
Never keeps a connection, and never sends anything by one.
"""

import asyncio
import ssl
from typing import Final

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from yarl import URL

from servicekit.end_of_turn import EndOfTurn
from servicekit.http_client.http_connection import HttpConnection
from servicekit.outbound_error import CUT, TIMEOUT, UNREACHABLE, OutboundError, outbound_error_of
from servicekit.remote_timeout import RemoteTimeout, is_late

_MOST_UNCLEAN: Final = 3


class Connector:
    """Makes connections by which nothing was said yet; `seconds` is what each address of a server may take."""

    def __init__(self, tls: ssl.SSLContext, seconds: float) -> None:
        self._tcp = aiohttp.TCPConnector(ssl=tls, limit=0, force_close=True)
        self._seconds = seconds
        self._end_of_turn = EndOfTurn()

    async def connect(self, origin: URL, *, within: float) -> HttpConnection:
        """Return a new connection to a server.

        Raises OutboundError where none is made, or none `within` some seconds: then nothing was sent.
        """
        try:
            async with RemoteTimeout(within):
                for _ in range(_MOST_UNCLEAN):
                    if connection := await self._clean(origin):
                        return connection
        except aiohttp.ClientError as error:
            raise outbound_error_of(error) from error
        except TimeoutError as error:
            raise OutboundError(TIMEOUT, maybe_done=False) from error
        except OSError as error:
            raise OutboundError(UNREACHABLE, maybe_done=False) from error
        raise OutboundError(CUT, maybe_done=False)

    async def close(self) -> None:
        """End every connection that was made here."""
        await self._tcp.close()

    async def _clean(self, origin: URL) -> HttpConnection | None:
        """Return a new connection; None where the server spoke before it was asked."""
        made = await self._patiently(origin)
        handler, transport = made.protocol, made.transport
        if handler is None or transport is None or handler.should_close or transport.is_closing():
            made.close()
            return None

        def end(fault: Exception | None) -> None:
            handler.connection_lost(fault)
            made.close()

        connection = HttpConnection(end, self._end_of_turn)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        return connection

    async def _patiently(self, origin: URL) -> aiohttp.connector.Connection:
        """Try once more where connecting took too long while our own loop stood still."""
        began = asyncio.get_running_loop().time()
        try:
            return await self._once(origin)
        except aiohttp.ConnectionTimeoutError:
            if not is_late(began, self._seconds):
                raise
        return await self._once(origin)

    async def _once(self, origin: URL) -> aiohttp.connector.Connection:
        request = ClientRequest("GET", origin, loop=asyncio.get_running_loop())
        try:
            return await self._tcp.connect(
                request, [], aiohttp.ClientTimeout(total=None, sock_connect=self._seconds)
            )
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
