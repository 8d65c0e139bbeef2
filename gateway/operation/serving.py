"""Serving: one process or several, until a signal.

Owns the runners, what a signal does, and the sentence about a port that is taken.
Never reads the environment, and never decides what is served.
"""

import asyncio
import functools
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import MutableMapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from aiohttp import web

from gateway.app import create_app
from gateway.metrics import SHARED, Metrics
from gateway.operation.admin_side import create_admin_side
from gateway.operation.loop_lag import watch_the_loop
from gateway.operation.workers import listening_socket, run_workers
from gateway.settings import Settings
from servicekit.logs import configure_logs, log_event
from servicekit.quiet_server import QuietRunner
from servicekit.version import VERSION

_log = logging.getLogger(__name__)


async def _serve(
    settings: Settings, listener: socket.socket, beside: socket.socket | None, metrics: Metrics
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way; operators are answered at `beside`."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    public = create_app(settings, metrics=metrics)
    runner = QuietRunner(public, service="gateway")
    async with AsyncExitStack() as running:
        await runner.setup()
        running.push_async_callback(runner.cleanup)
        if beside:
            operators = web.AppRunner(create_admin_side(public), access_log=None)
            await operators.setup()
            running.push_async_callback(operators.cleanup)
            await web.SockSite(operators, beside).start()
        await web.SockSite(runner, listener).start()
        running.callback(asyncio.create_task(watch_the_loop(metrics.loop_was_late)).cancel)
        await stopping.wait()


def _work(settings: Settings, shared: Path | None, number: int, listeners: Sequence[socket.socket]) -> None:
    """Be one of several workers, which count together; the first has the operators' side, too."""
    configure_logs(level=settings.log_level)
    listener, *beside = listeners
    asyncio.run(_serve(settings, listener, beside[0] if beside and number == 0 else None, Metrics(shared)))


def shared_counts(closing: ExitStack, folder: str | None = None) -> Path | None:
    """Return a new directory for the workers' counts, below `folder` or where temporary files lie.

    None where none can be made: then each worker counts for itself, which is no reason not to serve.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="stepup-metrics-", dir=folder)
    except OSError as error:
        log_event(_log, logging.WARNING, "metrics-not-shared", reason=error.strerror)
        return None
    return Path(closing.enter_context(made))


def serve(settings: Settings, environment: MutableMapping[str, str]) -> int:
    """Serve, and return the exit status: 1 for a port that is taken.

    `environment` is what worker processes will find; it is told where they count together.
    """
    configure_logs(level=settings.log_level)
    addresses = [(settings.host, settings.port)]
    if settings.admin_port:
        addresses.append((settings.admin_host, settings.admin_port))
    listeners: list[socket.socket] = []
    with ExitStack() as closing:
        for host, port in addresses:
            try:
                listeners.append(closing.enter_context(listening_socket(host, port)))
            except OSError as error:
                reason = str(error.strerror).partition(" (")[0]  # without Python's repetition of the address
                sys.stderr.write(f"The gateway cannot listen on {host}:{port}: {reason}.\n")
                return 1
        told = [list(address) for address in addresses]
        log_event(_log, logging.INFO, "listening", version=VERSION, addresses=told, workers=settings.workers)
        if settings.workers > 1:
            shared = shared_counts(closing)
            if shared:
                environment[SHARED] = str(shared)
            work = functools.partial(_work, settings, shared)
            return run_workers(settings.workers, work, listeners)
        listener, *beside = listeners
        asyncio.run(_serve(settings, listener, beside[0] if beside else None, Metrics()))
    return 0
