"""`python -m resource_api`: one resource API, configured from the environment.

python -m resource_api [serve]            serves until it is told to end
python -m resource_api doctor [--json] [--redirect-uri URI]
                                          checks the configuration against everything that it names
python -m resource_api audit verify FILE… tells whether an audit trail is as it was written

Owns the commands, what they print, and their exit status. Each of them imports what it needs when it is asked for.
Never does the work of one.
"""

import argparse
import os
import sys
from pathlib import Path

from resource_api.settings import PREFIX, Settings
from servicekit.audit.arguments import add_audit_command
from servicekit.audit.command import keys_of, verify
from servicekit.settings_faults import SettingsFault, load_settings
from servicekit.version import VERSION


def _load() -> Settings:
    return load_settings(Settings, os.environ, PREFIX, env_file=Path(".env"))


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says, and serve where it says nothing; return the exit status.

    It is 1 for a port that is taken and for a configuration in which the doctor finds a fault, 2 for one that cannot be
    read and for a command line that cannot be understood.
    """
    parser = argparse.ArgumentParser(
        prog="python -m resource_api",
        description="The edit profile service, configured from the environment. Without a command it serves.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stepup {VERSION}")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="serve until it is stopped", allow_abbrev=False)
    examining = commands.add_parser(
        "doctor", help="check the configuration, and explain each fault", allow_abbrev=False
    )
    examining.add_argument("--json", action="store_true", help="write a list of findings as JSON")
    examining.add_argument(
        "--redirect-uri",
        metavar="URI",
        help="the gateway's, for a look at the scope: …/auth/callback",
    )
    add_audit_command(commands)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "audit":
            text, status = verify(chosen, keys_of(_load, os.environ.get(f"{PREFIX}AUDIT_KEYS")))
            print(text)
            return status
        settings = _load()
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        if chosen.command == "doctor" and chosen.json:
            from servicekit.doctor.report import drawn, settings_faults  # noqa: PLC0415 - see above

            print(drawn(settings_faults(fault.lines), as_json=True))
        return 2
    if chosen.command == "doctor":
        from resource_api.doctor.examination import examine  # noqa: PLC0415 - see above
        from servicekit.doctor.report import report  # noqa: PLC0415 - see above

        text, status = report(examine(settings, redirect_uri=chosen.redirect_uri), as_json=chosen.json)
        print(text)
        return status
    from resource_api.serving import serve  # noqa: PLC0415 - see above

    return serve(settings, _load)


if __name__ == "__main__":
    sys.exit(main())
