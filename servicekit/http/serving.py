"""What is served at a service's listening sockets, and what it proves itself by.

Owns that what was started is ended, the first site last.
Never reads settings, and never decides an exit status or when the end begins.
"""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from servicekit.http.descriptors import (
    connections_within,
    operators_connections_within,
    raise_descriptor_limit,
)
from servicekit.http.limited_site import LimitedSite
from servicekit.http.quiet_server import QuietRunner


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
