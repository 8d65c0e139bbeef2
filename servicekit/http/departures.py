"""The end of a connection in the middle of a request: the caller leaves, or we break our answer off.

Owns noticing the one at once, also while nothing is read or written, and doing the other so that what was sent looks
unfinished to everybody. aiohttp tells a handler of a caller who left when it reads or writes, and not before.
Never decides that an answer is to be broken off, and never waits for a caller.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from aiohttp import web

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: no time to send what waits, so that the other side is told of a reset (socket(7))."""


class Ending:
    """Something that ends, such as a connection, and tells those who asked for it."""

    def __init__(self) -> None:
        self._listeners: set[Callable[[], None]] = set()
        self.is_over = False

    def tell(self) -> None:
        """Say that it is over."""
        self.is_over = True
        for tell in tuple(self._listeners):
            tell()

    @contextlib.contextmanager
    def heard_by(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` where it ends while the block runs."""
        self._listeners.add(tell)
        try:
            yield
        finally:
            self._listeners.discard(tell)


class Ended(Exception):
    """A block was left in the middle, because `ending` is over."""

    def __init__(self, ending: Ending) -> None:
        super().__init__("ended")
        self.ending = ending


class CallerLeft(Exception):
    """The caller closed its connection before it was answered: nobody is there who could be told anything."""


@contextlib.asynccontextmanager
async def until(ending: Ending) -> AsyncIterator[None]:
    """Run the block as long as `ending` is not over; raises Ended instead of going on."""
    if ending.is_over:
        raise Ended(ending)
    limit = asyncio.timeout(None)
    try:
        async with limit:
            with ending.heard_by(lambda: limit.reschedule(0)):
                yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise Ended(ending) from None


@contextlib.asynccontextmanager
async def while_caller_stays(request: web.BaseRequest) -> AsyncIterator[None]:
    """Run the block as long as the request's caller is there; raises CallerLeft instead of going on without one.

    Only behind a server of ours (`limited_handler.py`); elsewhere the block just runs.
    """
    departure = getattr(request.protocol, "departure", None)
    if not isinstance(departure, Ending):
        yield
        return
    try:
        async with until(departure):
            yield
    except Ended as ended:
        if ended.ending is not departure:
            raise
        raise CallerLeft from None


def break_off(request: web.BaseRequest) -> None:
    """End the connection of an answer that has begun and cannot be completed, by a reset.

    The end alone would make an answer of HTTP/1.0 whole, which ends with its connection (RFC 9112, section 6.3), as
    proxies ask us.
    """
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
