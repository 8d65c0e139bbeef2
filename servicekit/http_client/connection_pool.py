"""The connections to one server: those in use are counted, those that are idle may be used again for a while.

Owns how many there are, and that whoever gets one is its only user until it is given back.
Never looks at what goes by them.
"""

import asyncio
from collections.abc import Awaitable, Callable

from servicekit.http_client.http_connection import HttpConnection
from servicekit.outbound_error import TIMEOUT, OutboundError
from servicekit.places import Places
from servicekit.remote_timeout import RemoteTimeout


class ConnectionPool:
    """Connections that `connect` makes, given the seconds that are left for it: `most` at once.

    The one that was used last is used first, within `reuse_seconds`. Others than the server's own end close those that
    nobody used for so long.
    """

    def __init__(
        self, connect: Callable[[float], Awaitable[HttpConnection]], *, reuse_seconds: float, most: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connect = connect
        self._reuse_seconds = reuse_seconds
        self._places = Places(most)
        self._idle: list[HttpConnection] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def idle(self) -> HttpConnection | None:
        """Return the one that was used last, for an exchange that `give_back` ends; None where none is idle."""
        if not self._idle or not self._places.take_at_once():
            return None
        idle, now = self._idle, self._loop.time()
        while idle:
            connection = idle.pop()
            if self._is_usable(connection, now):
                return connection
            connection.close()
        self._places.give_back()
        return None

    async def connected(self, seconds: float) -> HttpConnection:
        """Return a new connection for one exchange, which `give_back` ends.

        Raises what `connect` raises, which is given what is left of `seconds`, and OutboundError where no place is free
        within them.
        """
        if not self._places.take_at_once():
            seconds = await self._place_within(seconds)
        try:
            return await self._connect(seconds)
        except BaseException:
            self._places.give_back()
            raise

    def give_back(self, connection: HttpConnection) -> None:
        """End an exchange; the connection waits for another one if it may have one."""
        self._places.give_back()
        if connection.ends_exchange():
            if self._is_closed:
                connection.close()
                return
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweep_in(self._reuse_seconds)

    def close(self) -> None:
        """Close the idle ones, and keep none any more."""
        self._is_closed = True
        if self._sweeper:
            self._sweeper.cancel()
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _place_within(self, seconds: float) -> float:
        """Wait for a place; return what is left of the time."""
        until = self._loop.time() + seconds
        try:
            async with RemoteTimeout(seconds):
                await self._places.take()
        except TimeoutError as error:
            raise OutboundError(TIMEOUT, maybe_done=False) from error
        return max(0.0, until - self._loop.time())

    def _is_usable(self, connection: HttpConnection, now: float) -> bool:
        return connection.is_open and now - connection.idle_since < self._reuse_seconds

    def _sweep_in(self, seconds: float) -> None:
        self._sweeper = self._loop.call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        """Close those that are too old, and those that ended meanwhile; the oldest come first."""
        self._sweeper = None
        now, kept = self._loop.time(), []
        for connection in self._idle:
            if self._is_usable(connection, now):
                kept.append(connection)
            else:
                connection.close()
        self._idle = kept
        if kept:
            self._sweep_in(self._reuse_seconds - (now - kept[0].idle_since))
