"""The end of a connection in the middle of a request: the caller leaves, or we break our answer off.

Owns noticing the one at once, also while nothing is read or written, and doing the other so that what was sent looks
unfinished to everybody. aiohttp tells a handler of a caller who left when it reads or writes, and not before.
Never decides that an answer is to be broken off, and never waits for a caller.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

from aiohttp import web

_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: no time to send what waits, so that the other side is told of a reset (socket(7))."""


class Ending:
    """Something that ends, such as a connection, and tells those who asked for it."""

    def __init__(self) -> None:
        self.listeners: set[Callable[[], None]] = set()
        """What is called where it ends."""
        self.is_over = False

    def tell(self) -> None:
        """Say that it is over."""
        self.is_over = True
        for tell in tuple(self.listeners):
            tell()

    @contextlib.contextmanager
    def heard_by(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` where it ends while the block runs."""
        self.listeners.add(tell)
        try:
            yield
        finally:
            self.listeners.discard(tell)


class Ended(Exception):
    """A block was left in the middle, because `ending` is over."""

    def __init__(self, ending: Ending) -> None:
        super().__init__("ended")
        self.ending = ending


class CallerLeft(Ended):
    """The caller closed its connection before it was answered: nobody is there who could be told anything."""


def until(ending: Ending) -> AbstractContextManager[None]:
    """Run the block as long as `ending` is not over; raises Ended instead of going on."""
    return _Block(ending, Ended)


def while_caller_stays(request: web.BaseRequest) -> AbstractContextManager[None]:
    """Run the block as long as the request's caller is there; raises CallerLeft instead of going on without one.

    Only behind a server of ours (`limited_handler.py`); elsewhere the block just runs.
    """
    departure = getattr(request.protocol, "departure", None)
    if not isinstance(departure, Ending):
        return contextlib.nullcontext()
    return _Block(departure, CallerLeft, request.protocol._loop)  # noqa: SLF001 - as every protocol of aiohttp's


class _Block:
    """A block of a task that is cancelled where `ending` is over, and is left with `error` then.

    Whatever else cancels the task meanwhile is not taken for that, as in `asyncio.timeout`, which costs each request
    that is passed on six times as much.
    """

    __slots__ = ("_before", "_cancelled", "_ending", "_error", "_leaving", "_loop", "_task")

    def __init__(
        self, ending: Ending, error: type[Ended], loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        # Whoever knows it spares the system being asked which process this is (before Python 3.12).
        self._loop = loop
        self._ending = ending
        self._error = error
        self._leaving: asyncio.Handle | None = None
        self._cancelled = False

    def __enter__(self) -> None:
        if self._ending.is_over:
            raise self._error(self._ending)
        self._task = _this_task(self._loop)
        self._before = self._task.cancelling()
        self._ending.listeners.add(self._tell)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._ending.listeners.discard(self._tell)
        if self._leaving is None:
            return
        self._leaving.cancel()  # of no effect once it has run
        is_ours = self._cancelled and self._task.uncancel() <= self._before
        if is_ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise self._error(self._ending) from None

    def _tell(self) -> None:
        # Not at once: a task that ends its own block would meet its cancellation behind it (before Python 3.13).
        if self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_soon(self._cancel)

    def _cancel(self) -> None:
        self._cancelled = True
        self._task.cancel()


def _this_task(loop: asyncio.AbstractEventLoop | None) -> asyncio.Task[Any]:
    task = asyncio.current_task(loop)
    assert task is not None  # noqa: S101
    return task


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
