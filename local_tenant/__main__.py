"""``python -m local_tenant``: the stand-in as a process. Wrong settings: every fault on stderr, exit 2."""

import asyncio
import contextlib
import signal
import sys

from aiohttp import web

from local_tenant.app import create_app
from local_tenant.configuration import ConfigurationError, load
from local_tenant.settings import Settings, SettingsError, from_environment


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = create_app(
        load(settings.config, settings.values()), public_url=settings.browser_url, admin=settings.admin
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as error:
            print(
                f"local tenant: {settings.host}:{settings.port} can't be used: {error.strerror}",
                file=sys.stderr,
            )
            return 1
        print(f"local tenant: {settings.browser_url} (inbox at {settings.browser_url}/inbox)", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
    return 0


def main() -> int:
    """Run the tenant; return the exit code."""
    try:
        settings = from_environment()
        load(settings.config, settings.values())
    except (SettingsError, ConfigurationError) as error:
        print("local tenant: the settings can't be used:", file=sys.stderr)
        for fault in error.faults:
            print(f"  {fault}", file=sys.stderr)
        return 2
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
