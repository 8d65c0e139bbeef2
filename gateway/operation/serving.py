"""Serving: one process or several, until it is told to end.

Owns what is served at which address: the public side, the operators' side, and how many processes share them.
Never reads the environment, and never decides what is served.
"""

import asyncio
import functools
import logging
import socket
import sys
import tempfile
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from gateway.app import create_app
from gateway.lives import SETTLING_SECONDS
from gateway.metrics import SHARED, Metrics, forget_process
from gateway.operation.admin_side import create_admin_side
from gateway.operation.loop_lag import watch_the_loop
from gateway.operation.shortages import watch_shortages
from gateway.operation.worker import Parent
from gateway.operation.workers import Workers
from gateway.settings import Settings
from servicekit.audit.opening import open_trail
from servicekit.audit.settings_change import record_change
from servicekit.audit.trail import Trail
from servicekit.http.compiled_parser import NO_COMPILED_PARSER, has_compiled_parser
from servicekit.http.orders import Orders, hold_signals, take_signals, take_workers_signals
from servicekit.http.quiet_server import DRAIN_SECONDS, QuietRunner
from servicekit.http.service import Service, rereading
from servicekit.http.serving import cannot_listen, listening_socket
from servicekit.logs import configure_logs, log_event
from servicekit.version import VERSION

_log = logging.getLogger(__name__)

Load = Callable[[], Settings]


def _service(settings: Settings, orders: Orders, metrics: Metrics, trail: Trail) -> Service[Settings]:
    return Service(
        settings,
        orders,
        app_of=functools.partial(create_app, metrics=metrics, trail=trail),
        on_change=functools.partial(record_change, trail),
        runner_of=_runner,
        pem_of=lambda now: now.tls_pem,
    )


def _trail(settings: Settings) -> AbstractContextManager[Trail]:
    """Give this process' audit trail, which takes the last line after the last request."""
    return open_trail(settings.audit_file, settings.trail_keys, service="gateway")


def _runner(app: web.Application, settings: Settings) -> QuietRunner:
    return QuietRunner(app, service="gateway", keep_alive_seconds=settings.keep_alive_seconds)


async def _serve(
    service: Service[Settings],
    listener: socket.socket,
    beside: socket.socket | None,
    metrics: Metrics,
    *,
    trail: Trail,
    on_serving: Callable[[], None] = lambda: None,
) -> None:
    """Serve until it is told to end; operators are answered at `beside`."""
    sites: list[tuple[web.BaseRunner, socket.socket]] = []
    if beside:
        admin = create_admin_side(lambda: service.runner.app)
        sites.append((QuietRunner(admin, service=None), beside))
    watching = [
        asyncio.create_task(watch_the_loop(metrics.loop_was_late)),
        asyncio.create_task(watch_shortages(metrics, service.runner.connections, trail)),
    ]
    try:
        async with service.listening(listener, *sites):
            on_serving()
    finally:
        for watch in watching:
            watch.cancel()


def work(shared: Path | None, pipe: Connection) -> None:
    """Be one of several workers, which count together; the first has the operators' side, too."""
    hold_signals()
    asyncio.run(_work(shared, pipe))


async def _work(shared: Path | None, pipe: Connection) -> None:
    orders = Orders()
    parent = Parent(pipe, orders)
    take_workers_signals(orders)
    place = await parent.place()
    if place is None:
        return
    configure_logs(level=place.settings.log_level)
    listener, *beside = parent.listeners
    if place.number:
        while beside:
            beside.pop().close()
    metrics = Metrics(shared)
    with _trail(place.settings) as trail:
        service = _service(place.settings, orders, metrics, trail)
        await _serve(
            service,
            listener,
            beside[0] if beside else None,
            metrics,
            trail=trail,
            on_serving=functools.partial(parent.say_serving, service.use),
        )


async def _serve_alone(settings: Settings, load: Load, listeners: Sequence[socket.socket]) -> None:
    orders, metrics = Orders(), Metrics()
    with _trail(settings) as trail:
        service = _service(settings, orders, metrics, trail)
        take_signals(orders, on_reload=rereading(load, service.use))
        listener, *beside = listeners
        await _serve(service, listener, beside[0] if beside else None, metrics, trail=trail)


async def _serve_together(
    settings: Settings, load: Load, listeners: Sequence[socket.socket], shared: Path | None
) -> int:
    orders = Orders()
    workers = Workers(
        settings.workers,
        functools.partial(work, shared),
        listeners,
        orders,
        settings=settings,
        on_end=functools.partial(forget_process, shared),
        patience=DRAIN_SECONDS + SETTLING_SECONDS,
    )

    def use(fresh: Settings) -> None:
        configure_logs(level=fresh.log_level)
        workers.use(fresh)

    take_signals(orders, on_reload=rereading(load, use))
    return await workers.run()


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


def serve(settings: Settings, load: Load, environment: MutableMapping[str, str]) -> int:
    """Serve, and return the exit status: 1 for a port that is taken, where no worker comes up, and without a parser.

    `load` returns the settings of now, or raises SettingsFault: they are read again where somebody asks for it.
    `environment` is what worker processes will find; it is told where they count together.
    """
    if not settings.authority_map and not has_compiled_parser():
        sys.stderr.write(f"{NO_COMPILED_PARSER}\n")
        return 1
    hold_signals()
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
        shared = shared_counts(closing) if settings.workers > 1 else None
        listening = [list(address) for address in addresses]
        log_event(
            _log, logging.INFO, "listening", version=VERSION, addresses=listening, workers=settings.workers
        )
        if settings.workers > 1:
            if shared:
                environment[SHARED] = str(shared)
            return asyncio.run(_serve_together(settings, load, listeners, shared))
        asyncio.run(_serve_alone(settings, load, listeners))
    return 0
