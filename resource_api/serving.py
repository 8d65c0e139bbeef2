"""The service as a process: what is served at which address, until it is told to end.

Owns how the application's limits become the server's. Never reads the environment, and decides no exit status but that
of an address that cannot be had.
"""

import functools
import logging
import socket
import sys
from collections.abc import Callable

from aiohttp import web

from resource_api.app import create_app, largest_head
from resource_api.settings import Settings
from servicekit.audit.opening import open_trail
from servicekit.audit.settings_change import record_change
from servicekit.event_loop import run
from servicekit.http.compiled_parser import NO_COMPILED_PARSER, has_compiled_parser
from servicekit.http.listening import cannot_listen, listening_socket
from servicekit.http.orders import Orders, hold_signals, take_signals
from servicekit.http.quiet_server import QuietRunner
from servicekit.http.service import FIXED, Service, rereading
from servicekit.logs import configure_logs, log_event
from servicekit.version import VERSION

_log = logging.getLogger(__name__)


async def _serve(settings: Settings, load: Callable[[], Settings], listener: socket.socket) -> None:
    orders = Orders()
    with open_trail(settings.audit_file, settings.trail_keys, service="resource_api") as trail:
        service = Service(
            settings,
            orders,
            app_of=functools.partial(create_app, trail=trail),
            runner_of=_runner,
            fixed=FIXED | {"longest_token"},
            on_change=functools.partial(record_change, trail),
        )
        take_signals(orders, on_reload=rereading(load, service.use))
        async with service.listening(listener):
            listening = [list(name[:2]) for name in service.runner.addresses]
            log_event(_log, logging.INFO, "listening", version=VERSION, addresses=listening)


def _runner(app: web.Application, settings: Settings) -> QuietRunner:
    return QuietRunner(
        app,
        service="resource_api",
        largest_head=largest_head(settings.longest_token),
        keep_alive_seconds=settings.keep_alive_seconds,
    )


def serve(settings: Settings, load: Callable[[], Settings]) -> int:
    """Serve until the process is told to end, and return the exit status: 1 for a taken port or without a parser.

    `load` returns the settings of now, or raises SettingsFault: they are read again where somebody asks for it.
    """
    if not settings.authority_map and not has_compiled_parser():
        sys.stderr.write(f"{NO_COMPILED_PARSER}\n")
        return 1
    hold_signals()
    configure_logs(level=settings.log_level)
    try:
        listener = listening_socket(settings.host, settings.port)
    except OSError as error:
        sys.stderr.write(f"{cannot_listen('resource API', settings.host, settings.port, error)}\n")
        return 1
    with listener:
        run(_serve(settings, load, listener))
    return 0
