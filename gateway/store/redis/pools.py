"""Connections to Redis, and their pools: whole or not there at all, and left without waiting.

Owns what redis-py leaves open: a connection whose making is cancelled between its socket and its introduction, a pool
that waits for the ends of connections which others may take up meanwhile, time-outs in which lateness of our own event
loop does not count, and the authorities that a connection trusts, which may change while the gateway runs.
Never chooses a server, and knows no command.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import SentinelConnectionPool, SentinelManagedConnection
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.tls import Trust
from servicekit.remote_timeout import RemoteTimeout


class _Whole(AbstractConnection):
    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Introduce ourselves on a new connection; one that is interrupted in between is closed.

        Else it went back to its pool as it is, and whoever took it next was told that it is not authenticated.
        """
        try:
            await super().on_connect_check_health(check_health=check_health)
        except BaseException:
            await self.disconnect(nowait=True)
            raise

    async def _connect(self) -> None:
        """Open the socket; redis-py's own time-out would blame the server for a late loop of ours."""
        seconds, self.socket_connect_timeout = self.socket_connect_timeout, None
        try:
            async with RemoteTimeout(math.inf if seconds is None else seconds):
                await super()._connect()  # type: ignore[no-untyped-call, safe-super]  # redis-py's
        finally:
            self.socket_connect_timeout = seconds

    async def send_packed_command(
        self,
        command: bytes | str | Iterable[bytes],
        check_health: bool = True,  # noqa: FBT001, FBT002 - redis-py's signature
    ) -> None:
        """Send; redis-py would begin a task for each command, in which Python 3.11 may lose a cancellation."""
        if not self.is_connected or self.socket_timeout is None:
            await super().send_packed_command(command, check_health)
            return
        seconds, self.socket_timeout = self.socket_timeout, None
        try:
            async with RemoteTimeout(seconds):
                await super().send_packed_command(command, check_health)
        except TimeoutError as error:
            raise RedisTimeoutError("Redis takes nothing more") from error
        finally:
            self.socket_timeout = seconds

    async def read_response(
        self,
        disable_decoding: bool = False,  # noqa: FBT001, FBT002 - redis-py's signature
        timeout: float | None = None,  # noqa: ASYNC109 - the same
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
    ) -> Any:
        """Read one answer, in the same fairness to the server; a time of the caller's own is redis-py's matter."""
        fair = timeout is None and self.socket_timeout is not None
        try:
            async with RemoteTimeout(self.socket_timeout or 0) if fair else nullcontext():
                return await super().read_response(
                    disable_decoding,
                    math.inf if fair else timeout,
                    disconnect_on_error=disconnect_on_error,
                    push_request=push_request,
                )
        except TimeoutError as error:
            raise RedisTimeoutError("no answer in time") from error


class PlainConnection(_Whole, Connection):
    """By TCP."""


class SocketConnection(_Whole, UnixDomainSocketConnection):
    """By a unix socket."""


class TlsConnection(_Whole, SSLConnection):
    """By TLS, to whom `trust` trusts at this moment."""

    def __init__(self, *, trust: Trust, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._trust = trust

    async def _connect(self) -> None:
        # In a thread: it may read a file. redis-py reads its own on the event loop, for every connection.
        self.ssl_context.context = await asyncio.to_thread(self._trust.context)
        await super()._connect()


class MasterConnection(SentinelManagedConnection, PlainConnection):
    """To the master that Sentinel names."""


class MasterTlsConnection(SentinelManagedConnection, TlsConnection):
    """The same by TLS."""


class _Leaving(ConnectionPool):
    on_left: Callable[[], None] = staticmethod(lambda: None)
    """Called where idle connections are dropped, by us or by redis-py when Sentinel names another master."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's signature
        """Close connections; idle ones alone are dropped at once.

        redis-py waits for the end of each: half a second if the server is silent and speaks TLS. Who takes one up
        meanwhile connects it anew, and loses the new connection to the end of the old one.
        """
        if inuse_connections:
            await super().disconnect()
            return
        self.on_left()
        for connection in tuple(self._available_connections):
            await connection.disconnect(nowait=True)


class Pool(_Leaving):
    """Connections to one server."""


class MasterPool(_Leaving, SentinelConnectionPool):
    """Connections to the master that Sentinel names."""
