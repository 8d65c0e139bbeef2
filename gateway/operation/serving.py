"""Serving: alone or as one of several workers, until it is told to end.

Owns what is served at which address: the public side and the operators' side; and what a process that forks workers has
to have imported.
Never reads the environment, and never decides what is served.
"""

import asyncio
import functools
import logging
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from gateway.app import create_app
from gateway.lives import SETTLING_SECONDS
from gateway.metrics import Metrics, forget_process
from gateway.operation.admin_side import create_admin_side
from gateway.operation.fork_server import serve_forks
from gateway.operation.forks import fork_servers_pipe
from gateway.operation.loop_lag import watch_the_loop
from gateway.operation.metrics_flush import flush_metrics
from gateway.operation.parent import SHARED, Plan, become_parent
from gateway.operation.shortages import watch_shortages
from gateway.operation.worker import Parent
from gateway.settings import Settings
from servicekit.audit.opening import open_trail
from servicekit.audit.settings_change import record_change
from servicekit.audit.trail import Trail
from servicekit.entra import import_msal
from servicekit.event_loop import run
from servicekit.http.compiled_parser import NO_COMPILED_PARSER, has_compiled_parser
from servicekit.http.listening import AddressNotToBeHad, listening_sockets
from servicekit.http.orders import Orders, hold_signals, take_signals, take_workers_signals
from servicekit.http.quiet_server import DRAIN_SECONDS, QuietRunner
from servicekit.http.service import Service, rereading
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
        asyncio.create_task(flush_metrics(metrics)),
    ]
    try:
        async with service.listening(listener, *sites):
            on_serving()
    finally:
        for watch in watching:
            watch.cancel()
        metrics.flush()  # the last answers, too


def fork_workers(descriptor: str, load: Load, environment: Mapping[str, str]) -> int:
    """Fork workers for the parent at `descriptor`, and return the exit status of one of them, or of what forked them.

    Whatever a request may need is imported by now, or here: what workers share is what was there before them.
    """
    hold_signals()
    import_msal()
    shared = Path(environment[SHARED]) if environment.get(SHARED) else None
    pipe = serve_forks(fork_servers_pipe(descriptor), load, functools.partial(forget_process, shared))
    if pipe:
        run(_work(shared, pipe))
    return 0


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


def serve(settings: Settings, load: Load, environment: Mapping[str, str]) -> int:
    """Serve, and return the exit status: 1 for a port that is taken, and without a parser.

    `load` returns the settings of now, or raises SettingsFault: they are read again where somebody asks for it.
    Where several workers are wanted this does not return: the process begins anew as their parent, in `environment`.
    """
    if not settings.authority_map and not has_compiled_parser():
        sys.stderr.write(f"{NO_COMPILED_PARSER}\n")
        return 1
    hold_signals()
    addresses = [(settings.host, settings.port)]
    if settings.admin_port:
        addresses.append((settings.admin_host, settings.admin_port))
    if settings.workers > 1:
        patience = DRAIN_SECONDS + SETTLING_SECONDS
        become_parent(Plan(settings.workers, addresses, settings.log_level, patience), environment)
    configure_logs(level=settings.log_level)
    with ExitStack() as closing:
        try:
            listeners = listening_sockets("gateway", addresses, closing)
        except AddressNotToBeHad as sentence:
            sys.stderr.write(f"{sentence}\n")
            return 1
        listening = [list(address) for address in addresses]
        log_event(_log, logging.INFO, "listening", version=VERSION, addresses=listening, workers=1)
        run(_serve_alone(settings, load, listeners))
    return 0
