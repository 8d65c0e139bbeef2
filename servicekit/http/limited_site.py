"""Where connections are let in: as many as there may be, and the next one when one of them ends.

Owns accepting. asyncio's own way accepts until descriptors are gone, writes a line for each one that it did not get,
and tries again a second later; here nobody is accepted for whom there is no place, and nobody asks meanwhile.
Never decides how many there may be, or which one makes room (`connections.py`).
"""

import asyncio
import errno
import functools
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

from aiohttp import web

from servicekit.http.client_networks import ClientNetworks
from servicekit.http.connections import Connections
from servicekit.http.limited_handler import HEAD_SECONDS, LimitedHandler
from servicekit.logs import log_event

UNREAD_SECONDS: Final = 30.0
"""For how long an answer may wait for a reader who takes nothing of it (TCP_USER_TIMEOUT, where the system has it)."""
# Accepted in one turn of the loop, so that others have theirs; fewer where there may be few, and these are too many for
# a moment, until those that make room for them have ended.
_AT_ONCE: Final = 4
_SHARE_AT_ONCE: Final = 8
_TRY_AGAIN_SECONDS: Final = 0.2
_LOOK_AGAIN_SECONDS: Final = 1.0
_NO_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = logging.getLogger(__name__)


class LimitedSite(web.BaseSite):
    """Serves at `listener`, and lets in no more than `connections` may be.

    `runner` must be set up, and make connections that are LimitedHandlers. `networks` returns whom a connection is
    counted with, asked anew for each one.
    """

    def __init__(
        self,
        runner: web.BaseRunner,
        listener: socket.socket,
        connections: Connections,
        *,
        networks: Callable[[], ClientNetworks] = ClientNetworks,
        tls: ssl.SSLContext | None = None,
        unread_seconds: float = UNREAD_SECONDS,
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self._networks = networks
        self._listener = listener
        self._connections = connections
        self._unread_seconds = unread_seconds

    @property
    def name(self) -> str:
        """The address, for aiohttp."""
        host, port = self._listener.getsockname()[:2]
        return f"{'https' if self._ssl_context else 'http'}://{host}:{port}"

    async def start(self) -> None:
        """Let connections in from now on."""
        await super().start()
        handler_of: Callable[[], LimitedHandler] = self._runner.server  # type: ignore[assignment]
        door = _Door(
            self._listener,
            self._connections,
            handler_of,
            networks=self._networks,
            tls=self._ssl_context,
            unread_seconds=self._unread_seconds,
        )
        # What aiohttp asks of it: `close` and `sockets`.
        self._server = cast("asyncio.AbstractServer", door)


class _Door:
    """What accepts, in the place of asyncio's own server."""

    def __init__(
        self,
        listener: socket.socket,
        connections: Connections,
        handler_of: Callable[[], LimitedHandler],
        *,
        networks: Callable[[], ClientNetworks],
        tls: ssl.SSLContext | None,
        unread_seconds: float,
    ) -> None:
        self._networks = networks
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._connections = connections
        self._handler_of = handler_of
        self._times = (
            {"ssl_handshake_timeout": HEAD_SECONDS, "ssl_shutdown_timeout": HEAD_SECONDS} if tls else {}
        )
        self._tls = tls
        self._unread_milliseconds = int(unread_seconds * 1000)
        self._at_once = max(1, min(_AT_ONCE, connections.most // _SHARE_AT_ONCE))
        self._is_open = True
        self._is_short = False
        self._again: asyncio.TimerHandle | None = None
        connections.when_there_is_room(self._listen)
        listener.settimeout(0)
        self._listen()

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """What is listened at, for aiohttp, which asks for addresses."""
        return (self._listener,) if self._is_open else ()

    def close(self) -> None:
        """Let nobody in any more."""
        if self._is_open:
            self._pause()
            self._is_open = False
            self._listener.close()

    def _listen(self) -> None:
        if self._is_open:
            self._loop.add_reader(self._listener, self._accept)

    def _pause(self, seconds: float = 0) -> None:
        """Let nobody in, for so long at most where that is said."""
        self._loop.remove_reader(self._listener)
        if self._again:
            self._again.cancel()
        self._again = self._loop.call_later(seconds, self._listen) if seconds else None

    def _accept(self) -> None:
        for _ in range(self._at_once):
            if not self._connections.has_room():
                self._pause(_LOOK_AGAIN_SECONDS)  # who takes an answer too slowly tells nobody
                return
            try:
                accepted, address = self._listener.accept()
            except OSError as error:
                # Others: another process took it, or who came has gone again (accept(2) lists what a network can say).
                if error.errno in _NO_DESCRIPTORS:
                    self._wait_for_descriptors(error)
                return
            self._is_short = False
            network = self._networks().of(address[0]) if address else None
            if self._connections.make_room(network):
                self._let_in(accepted, network)
            else:
                accepted.close()

    def _let_in(self, accepted: socket.socket, network: str | None) -> None:
        accepted.settimeout(0)
        if hasattr(socket, "TCP_USER_TIMEOUT") and accepted.family != socket.AF_UNIX:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._unread_milliseconds)
        handler = self._handler_of()
        handler.network = network
        self._connections.add(handler)
        handler.joining = self._loop.create_task(self._join(accepted, handler))
        handler.joining.add_done_callback(functools.partial(self._joined, handler))

    async def _join(self, accepted: socket.socket, handler: LimitedHandler) -> None:
        handler.is_joining = True
        await self._loop.connect_accepted_socket(lambda: handler, accepted, ssl=self._tls, **self._times)

    def _joined(self, handler: LimitedHandler, task: "asyncio.Task[None]") -> None:
        handler.is_joining = False
        if task.cancelled() or task.exception():  # of TLS: whoever it was spoke something else, or nothing
            self._connections.remove(handler)

    def _wait_for_descriptors(self, error: OSError) -> None:
        """Close some who are in no request, and try again in a moment: something else took the reserve."""
        if not self._is_short:
            self._is_short = True
            log_event(_log, logging.ERROR, "descriptors-exhausted", reason=error.strerror)
        self._pause(_TRY_AGAIN_SECONDS)
        self._connections.close_some(self._at_once)
