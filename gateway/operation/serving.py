"""Serving: one process or several, until a signal.

Owns what is served at which address: the public side, the operators' side, and how many processes share them.
Never reads the environment, and never decides what is served.
"""

import asyncio
import functools
import logging
import socket
import sys
import tempfile
from collections.abc import MutableMapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from aiohttp import web

from gateway.app import create_app
from gateway.metrics import SHARED, Metrics
from gateway.operation.admin_side import create_admin_side
from gateway.operation.loop_lag import watch_the_loop
from gateway.operation.shortages import watch_shortages
from gateway.operation.workers import run_workers
from gateway.settings import Settings
from servicekit.http.quiet_server import QuietRunner
from servicekit.http.serving import cannot_listen, listening_socket, server_tls, serving, stop_signal
from servicekit.logs import configure_logs, log_event
from servicekit.version import VERSION

_log = logging.getLogger(__name__)


async def _serve(
    settings: Settings, listener: socket.socket, beside: socket.socket | None, metrics: Metrics
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way; operators are answered at `beside`."""
    stopping = stop_signal()
    public = create_app(settings, metrics=metrics)
    runner = QuietRunner(public, service="gateway", keep_alive_seconds=settings.keep_alive_seconds)
    sites: list[tuple[web.BaseRunner, socket.socket]] = [(runner, listener)]
    if beside:
        sites.append((web.AppRunner(create_admin_side(public), access_log=None), beside))
    async with serving(*sites, tls=server_tls(settings.tls_pem) if settings.tls_pem else None):
        watching = [
            asyncio.create_task(watch_the_loop(metrics.loop_was_late)),
            asyncio.create_task(watch_shortages(metrics, runner.connections)),
        ]
        await stopping.wait()
        for watch in watching:
            watch.cancel()


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
        directory = tempfile.TemporaryDirectory(prefix="stepup-metrics-", dir=folder)
    except OSError as error:
        log_event(_log, logging.WARNING, "metrics-not-shared", reason=error.strerror)
        return None
    return Path(closing.enter_context(directory))


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
                sys.stderr.write(f"{cannot_listen('gateway', host, port, error)}\n")
                return 1
        listening = [list(address) for address in addresses]
        log_event(
            _log, logging.INFO, "listening", version=VERSION, addresses=listening, workers=settings.workers
        )
        if settings.workers > 1:
            shared = shared_counts(closing)
            if shared:
                environment[SHARED] = str(shared)
            work = functools.partial(_work, settings, shared)
            return run_workers(settings.workers, work, listeners)
        listener, *beside = listeners
        asyncio.run(_serve(settings, listener, beside[0] if beside else None, Metrics()))
    return 0
