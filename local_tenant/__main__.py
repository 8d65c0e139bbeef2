"""``python -m local_tenant``: the stand-in as a process. Wrong settings: every fault on stderr, exit 2."""

import argparse
import asyncio
import contextlib
import re
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from local_tenant.app import create_app
from local_tenant.configuration import Configuration, ConfigurationError, load
from local_tenant.settings import Settings, SettingsError, from_environment


async def serve(settings: Settings, configuration: Configuration) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        print(
            f"local tenant: {settings.host}:{settings.port} can't be used: {error.strerror}", file=sys.stderr
        )
        return 1
    # Port 0 is a free one: only now is it known, and the tenant tells everyone its own address.
    url = settings.model_copy(update={"port": listener.getsockname()[1]}).browser_url
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = create_app(configuration, public_url=url, admin=settings.admin)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        print(f"local tenant: {url} (inbox at {url}/inbox)", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
    return 0


def _version() -> str:
    """Return the version that the tenant came with, read and not imported: it knows nothing of what it judges."""
    with contextlib.suppress(OSError):
        text = (Path(__file__).parents[1] / "servicekit" / "version.py").read_text(encoding="utf-8")
        if found := re.search(r'VERSION[^=]*= "([^"]+)"', text):
            return found[1]
    return "unknown"


def main(arguments: list[str] | None = None) -> int:
    """Run the tenant; return the exit code. Its arguments are ``--help`` and ``--version``; others end it with 2."""
    parser = argparse.ArgumentParser(
        prog="python -m local_tenant",
        description="A stand-in for Entra External ID and Microsoft Graph, configured from the environment.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stepup {_version()}")
    parser.parse_args(arguments)
    try:
        settings = from_environment()
        configuration = load(settings.config, settings.values())
    except (SettingsError, ConfigurationError) as error:
        print("local tenant: the settings can't be used:", file=sys.stderr)
        for fault in error.faults:
            print(f"  {fault}", file=sys.stderr)
        return 2
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(serve(settings, configuration))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
