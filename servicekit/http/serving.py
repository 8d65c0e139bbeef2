"""A service's listening sockets, what is served at them, and what it proves itself by.

Owns that what was started is ended, the first site last, and the sentence about an address that cannot be had.
Never reads settings, and never decides an exit status or when the end begins.
"""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from servicekit.http.descriptors import (
    connections_within,
    operators_connections_within,
    raise_descriptor_limit,
)
from servicekit.http.limited_site import LimitedSite
from servicekit.http.quiet_server import QuietRunner

_BACKLOG: Final = 1024


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises OSError when the address is taken or is not ours.

    A name with addresses of both families is listened to by IPv4. Port 0 takes a free one.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family = min((address[0] for address in addresses), key=lambda kind: kind != socket.AF_INET)
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def cannot_listen(service: str, host: str, port: int, error: OSError) -> str:
    """Return the sentence for whoever started `service` at an address that cannot be had."""
    reason = str(error.strerror).partition(" (")[0]  # without Python's repetition of the address
    return f"The {service} cannot listen on {host}:{port}: {reason}."


def server_tls(pem: str) -> ssl.SSLContext:
    """Return what a server proves itself by: a PEM file's certificate and key; raises OSError, and so SSLError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # Without a password that somebody would be asked for.
    context.load_cert_chain(pem, password="")
    return context


@asynccontextmanager
async def serving(
    *sites: tuple[web.BaseRunner, socket.socket], tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve while the block runs, then finish what is under way; the first site is up last, and ends last.

    Each runner says how long it waits for that. The first site is of https where `tls` is given.
    """
    async with AsyncExitStack() as running:
        for runner, _ in sites:
            await runner.setup()
            running.push_async_callback(runner.cleanup)
        for number, (runner, listener) in reversed(list(enumerate(sites))):
            await _site(runner, listener, is_beside=number > 0, tls=None if number else tls).start()
        yield


def _site(
    runner: web.BaseRunner, listener: socket.socket, *, is_beside: bool, tls: ssl.SSLContext | None
) -> web.BaseSite:
    """Return what serves at `listener`: as many connections as there are descriptors for, and beside it a few."""
    if not isinstance(runner, QuietRunner):
        return web.SockSite(runner, listener, ssl_context=tls)
    descriptors = raise_descriptor_limit()
    most = operators_connections_within if is_beside else connections_within
    runner.connections.most = most(descriptors)
    return LimitedSite(runner, listener, runner.connections, networks=runner.networks, tls=tls)
