"""Exchanges by pooled connections: a request goes out, and the head of its answer comes back.

Owns that a request goes out once. The one exception is a read without a body whose connection was cut before its
answer began: it goes out a second time, by a new connection, as does whatever was not sent at all because its
connection had ended. What may have been done is never done again, also what RFC 9110, section 9.2.2, calls idempotent:
a PUT that another one overtook is not.
Never follows a redirect, keeps no cookie, and never judges an answer.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp.http import RawResponseMessage
from yarl import URL

from servicekit.http_client.connection_pool import ConnectionPool
from servicekit.http_client.connector import Connector
from servicekit.http_client.http_connection import HttpConnection
from servicekit.outbound_error import CUT, OutboundError
from servicekit.upload import Upload

READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Answered:
    """An answer whose head has come, and the connection by which its body comes; whoever has it must `end` it."""

    __slots__ = ("_pool", "connection", "is_over", "message")

    def __init__(self, message: RawResponseMessage, connection: HttpConnection, pool: ConnectionPool) -> None:
        self.message = message
        self.connection = connection
        self._pool = pool
        self.is_over = False

    def end(self) -> None:
        """Give the connection back: it is used again only where both sides have said everything."""
        if not self.is_over:
            self.is_over = True
            self._pool.give_back(self.connection)


@dataclass(slots=True)
class Request:
    """A request as it goes out: `head` is all of it but the body."""

    method: str
    head: bytes
    body: bytes | Upload | None = None
    unpacks: bool = False


class HttpClient:
    """Sends requests to servers; `most` connections to each, which are used again for `reuse_seconds`."""

    def __init__(self, connector: Connector, *, reuse_seconds: float, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = connector
        self._reuse_seconds = reuse_seconds
        self._most = most
        self._pools: dict[URL, ConnectionPool] = {}

    async def ask(self, origin: URL, request: Request, *, seconds: float) -> Answered:
        """Send a request to a server, and return the head of its answer, whatever its status.

        The server has `seconds` for all of it, and for each piece of an upload. Raises OutboundError where no answer
        came, and what the upload has failed with.
        """
        until = self._loop.time() + seconds
        pool = self._pools.get(origin) or self._pool(origin)
        connection = pool.idle() or await pool.connected(seconds)
        is_first = True
        while True:
            try:
                message = await connection.ask(
                    request.head,
                    request.body,
                    method=request.method,
                    unpacks=request.unpacks,
                    seconds=seconds,
                    until=until,
                )
            except BaseException as error:
                pool.give_back(connection)
                if not (is_first and _may_go_out_again(request, error)):
                    raise
            else:
                return Answered(message, connection, pool)
            is_first = False
            connection = await pool.connected(max(0.0, until - self._loop.time()))

    def close(self) -> None:
        """Close the idle connections."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, origin: URL) -> ConnectionPool:
        pool = self._pools[origin] = ConnectionPool(
            lambda seconds: self._connector.connect(origin, within=seconds),
            reuse_seconds=self._reuse_seconds,
            most=self._most,
        )
        return pool


def _may_go_out_again(request: Request, error: BaseException) -> bool:
    if not isinstance(error, OutboundError) or error.reason != CUT:
        return False
    return not error.maybe_done or (request.method in READS and not request.body)
