"""Serving: one process or several, until a signal.

Owns the runners, what a signal does, and the sentence about a port that is taken.
Never reads the environment, and never decides what is served.
"""

import asyncio
import functools
import signal
import socket
import sys
from contextlib import AsyncExitStack

from aiohttp import web

from gateway.app import create_app
from gateway.operation.admin_side import create_admin_side
from gateway.operation.workers import listening_socket, run_workers
from gateway.settings import Settings
from servicekit.logs import configure_logs
from servicekit.quiet_server import QuietRunner


async def _serve(settings: Settings, listener: socket.socket, *, admin: bool) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    public = create_app(settings)
    runner = QuietRunner(public, service="gateway")
    async with AsyncExitStack() as running:
        await runner.setup()
        running.push_async_callback(runner.cleanup)
        if admin and settings.admin_port:
            beside = web.AppRunner(create_admin_side(public), access_log=None)
            await beside.setup()
            running.push_async_callback(beside.cleanup)
            await web.TCPSite(beside, settings.admin_host, settings.admin_port).start()
        await web.SockSite(runner, listener).start()
        await stopping.wait()


def _work(settings: Settings, number: int, listener: socket.socket) -> None:
    """Be one of several workers; the first has the operators' side, too."""
    configure_logs(level=settings.log_level)
    asyncio.run(_serve(settings, listener, admin=number == 0))


def serve(settings: Settings) -> int:
    """Serve, and return the exit status: 1 for a port that is taken."""
    configure_logs(level=settings.log_level)
    try:
        listener = listening_socket(settings.host, settings.port)
    except OSError as error:
        return _cannot_listen(settings.host, settings.port, error)
    with listener:
        if settings.workers > 1:
            return run_workers(settings.workers, functools.partial(_work, settings), listener)
        try:
            asyncio.run(_serve(settings, listener, admin=True))
        except OSError as error:
            return _cannot_listen(settings.admin_host, settings.admin_port or 0, error)
    return 0


def _cannot_listen(host: str, port: int, error: OSError) -> int:
    sys.stderr.write(f"The gateway cannot listen on {host}:{port}: {error.strerror}.\n")
    return 1
