"""The service as a process, from its listening socket to the end on a signal.

Owns what is logged of both ends, and that the service says it wants no more work before it ends.
Never reads settings and never decides an exit code.
"""

import logging
import socket
from collections.abc import Callable

from aiohttp import web

from servicekit.http.quiet_server import QuietRunner
from servicekit.http.serving import serving, stop_signal
from servicekit.logs import log_event
from servicekit.version import VERSION

_log = logging.getLogger(__name__)


async def serve(
    app: web.Application,
    listener: socket.socket,
    *,
    largest_head: int,
    keep_alive_seconds: int,
    on_stop: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT, call `on_stop`, and finish what is under way.

    `largest_head` is how many bytes of header fields the application takes.
    """
    stopping = stop_signal()
    runner = QuietRunner(
        app, service="resource_api", largest_head=largest_head, keep_alive_seconds=keep_alive_seconds
    )
    async with serving((runner, listener)):
        listening = [list(name[:2]) for name in runner.addresses]
        log_event(_log, logging.INFO, "listening", version=VERSION, addresses=listening)
        await stopping.wait()
        log_event(_log, logging.INFO, "stopping")
        on_stop()
