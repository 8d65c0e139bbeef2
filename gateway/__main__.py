"""`python -m gateway`: the gateway, configured from the environment; and what an operator does to it from a shell.

python -m gateway [serve]               serves until it is told to end
python -m gateway end-sessions OID      signs a person out everywhere, by object id
python -m gateway doctor [--json]       checks the configuration against everything that it names
python -m gateway audit verify FILE…    tells whether an audit trail is as it was written

Owns the commands, what they print, and their exit status; the package's own command, `stepup`, takes them from here.
Each of them imports what it needs when it is asked for: a gateway that serves needs nothing of the others.
Never does the work of one.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.operation.forks import FORKS
from gateway.operation.parent import PARENT, run_parent
from servicekit.audit.arguments import add_audit_command
from servicekit.version import VERSION

if TYPE_CHECKING:
    from gateway.settings import Settings


def _load() -> "Settings":
    from gateway.settings import PREFIX, Settings  # noqa: PLC0415 - see above
    from servicekit.settings_faults import load_settings  # noqa: PLC0415 - see above

    return load_settings(Settings, os.environ, PREFIX, env_file=Path(".env"))


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what the gateway can be asked for; `run` does it."""
    commands.add_parser("serve", help="serve until it is stopped", allow_abbrev=False)
    ending = commands.add_parser("end-sessions", help="sign a person out everywhere", allow_abbrev=False)
    ending.add_argument("oid", help="the person's object id, a GUID, as Microsoft Graph calls it `id`")
    examining = commands.add_parser(
        "doctor", help="check the configuration, and explain each fault", allow_abbrev=False
    )
    examining.add_argument("--json", action="store_true", help="write a list of findings as JSON")
    add_audit_command(commands)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit status, 2 for settings that cannot be used.

    Of several workers their parent and what forks them are called as the gateway was.
    """
    if plan := os.environ.pop(PARENT, None):
        return run_parent(plan, os.environ)
    if descriptor := os.environ.pop(FORKS, None):
        from gateway.operation.serving import fork_workers  # noqa: PLC0415 - see above

        return fork_workers(descriptor, _load, os.environ)
    return _command(arguments)


def _command(arguments: argparse.Namespace) -> int:
    from servicekit.settings_faults import SettingsFault  # noqa: PLC0415 - see above

    try:
        if arguments.command == "audit":
            return _verify(arguments)
        settings = _load()
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        if arguments.command == "doctor" and arguments.json:
            from servicekit.doctor.report import drawn, settings_faults  # noqa: PLC0415 - see above

            print(drawn(settings_faults(fault.lines), as_json=True))
        return 2
    if arguments.command == "doctor":
        from gateway.doctor.examination import examine  # noqa: PLC0415 - see above
        from servicekit.doctor.report import report  # noqa: PLC0415 - see above

        text, status = report(examine(settings), as_json=arguments.json)
        print(text)
        return status
    if arguments.command == "end-sessions":
        from gateway.operation.end_sessions import end_sessions  # noqa: PLC0415 - see above

        return asyncio.run(end_sessions(settings, arguments.oid))
    from gateway.operation.serving import serve  # noqa: PLC0415 - see above

    return serve(settings, _load, os.environ)


def _verify(arguments: argparse.Namespace) -> int:
    from gateway.settings import PREFIX  # noqa: PLC0415 - see above
    from servicekit.audit.command import keys_of, verify  # noqa: PLC0415 - see above

    text, status = verify(arguments, keys_of(_load, os.environ.get(f"{PREFIX}AUDIT_KEYS")))
    print(text)
    return status


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says, and serve where it says nothing; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m gateway",
        description="The Stepup gateway. Without a command it serves.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stepup {VERSION}")
    add_commands(parser.add_subparsers(dest="command"))
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
