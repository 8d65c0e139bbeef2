"""The service as a process: listening, and the end on a signal.

Owns the end on SIGTERM and Ctrl-C. Never reads settings and never decides an exit code.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Final

from aiohttp import web

from servicekit.logs import log_event
from servicekit.quiet_server import QuietRunner
from servicekit.version import VERSION

# A bearer token alone may take half of it.
LONGEST_FIELD: Final = 16_384

_log = logging.getLogger(__name__)


async def serve(
    app: web.Application,
    host: str,
    port: int,
    *,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, call `on_stop`, and finish what is under way.

    Raises OSError when the port can't be had.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    runner = QuietRunner(app, service="resource_api", longest_field=LONGEST_FIELD)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        told = [list(name[:2]) for name in runner.addresses]
        log_event(_log, logging.INFO, "listening", version=VERSION, addresses=told)
        await stopping.wait()
        log_event(_log, logging.INFO, "stopping")
        on_stop()
    finally:
        await runner.cleanup()
