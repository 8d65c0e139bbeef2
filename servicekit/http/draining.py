"""The end of a server's connections: whoever was let in is answered, and nobody is waited for who says nothing.

Owns the order: what waits at the listening socket is let in before that is closed, a new connection has a moment for
its first request, what is under way is finished with its body, and idle connections are closed.
Never decides when, and never says it to anybody beforehand.
"""

import asyncio
import select
import socket
from collections.abc import Iterable, Sized
from typing import Final, Protocol

from aiohttp import web

# Longer than a handshake and the first request take from a proxy; browsers open connections that they may never use.
FIRST_REQUEST_SECONDS: Final = 1.0
# What one turn of the event loop takes, with some room: what has arrived is read.
_TURN_SECONDS: Final = 0.02


class Connection(Protocol):
    """What is asked of a connection."""

    @property
    def is_unused(self) -> bool:
        """Whether it has no whole request under way."""

    @property
    def is_awaited(self) -> bool:
        """Whether its first request is still to be expected, or the rest of a head."""

    def end(self) -> None:
        """Close it now."""


class Connections(Iterable[Connection], Sized, Protocol):
    """Those that there are at the moment."""


async def close_listener(site: web.BaseSite, listener: socket.socket) -> None:
    """Let in who waits already, then take no more connections.

    The system resets a connection that it accepted and we did not, and whoever sent a request on it is told nothing.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + FIRST_REQUEST_SECONDS
    while _somebody_waits(listener) and loop.time() < until:  # noqa: ASYNC110 - the loop accepts, and tells nobody
        await asyncio.sleep(0)
    await site.stop()


def _somebody_waits(listener: socket.socket) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))


async def end_connections(connections: Connections, *, seconds: float, abandoned: asyncio.Event) -> None:
    """Close each connection when it has nothing more to answer; return after `seconds` at most, or when `abandoned`.

    Looked at again and again, because aiohttp's own way of closing takes no more of a body that is on its way. Each
    answer must close its connection by itself, so that none becomes idle that was busy.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    await asyncio.sleep(_TURN_SECONDS)  # what has arrived by now is read before anything is called idle
    while loop.time() < until and not abandoned.is_set():
        for connection in connections:
            if connection.is_unused and not connection.is_awaited:
                connection.end()
        if not len(connections):
            return
        await asyncio.sleep(_TURN_SECONDS)
