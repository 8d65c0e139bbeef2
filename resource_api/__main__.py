"""`python -m resource_api`: one resource API, configured from the environment."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from resource_api.app import create_app
from resource_api.routes import LIFE
from resource_api.serving import serve
from resource_api.settings import PREFIX, Settings
from servicekit.http.serving import cannot_listen, listening_socket
from servicekit.logs import configure_logs
from servicekit.settings_faults import SettingsFault, load_settings
from servicekit.version import VERSION


def main(arguments: list[str] | None = None) -> int:
    """Run, and return the exit status: 1 for a port that is taken.

    It is 2 for a configuration that cannot be used, and for arguments: there are none but `--help` and `--version`.
    """
    parser = argparse.ArgumentParser(
        prog="python -m resource_api",
        description="The edit profile service, configured from the environment.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stepup {VERSION}")
    parser.parse_args(arguments)
    try:
        settings = load_settings(Settings, os.environ, PREFIX, env_file=Path(".env"))
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        return 2
    configure_logs(level=settings.log_level)
    try:
        listener = listening_socket(settings.host, settings.port)
    except OSError as error:
        print(cannot_listen("resource API", settings.host, settings.port, error), file=sys.stderr)
        return 1
    with listener:
        app = create_app(settings)
        asyncio.run(serve(app, listener, on_stop=app[LIFE].stop))
    return 0


if __name__ == "__main__":
    sys.exit(main())
