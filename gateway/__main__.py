"""`python -m gateway`: one gateway, configured from the environment."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from gateway.app import create_app
from gateway.settings import PREFIX, Settings
from servicekit.logs import AccessLog, configure_logs
from servicekit.settings_faults import SettingsFault, load_settings

# What a person waits for at most; docker-compose.yml's stop_grace_period is longer still.
DRAIN_SECONDS = 20


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    runner = web.AppRunner(
        create_app(settings),
        access_log_class=AccessLog,
        shutdown_timeout=DRAIN_SECONDS,
        max_line_size=8190,
        max_field_size=8190,
        keepalive_timeout=30,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        await stopping.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    """Run, and return the exit status: 2 for a configuration that cannot be used, 1 for a port that is taken."""
    try:
        settings = load_settings(Settings, os.environ, PREFIX, env_file=Path(".env"))
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        return 2
    configure_logs(level=settings.log_level)
    try:
        asyncio.run(serve(settings))
    except OSError as error:
        print(
            f"The gateway cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
