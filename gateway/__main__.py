"""`python -m gateway`: the gateway, configured from the environment; and what an operator does to it from a shell.

python -m gateway [serve]               serves until it is told to end
python -m gateway end-sessions OID      signs a person out everywhere, by object id
python -m gateway doctor [--json]       checks the configuration against everything that it names
python -m gateway audit verify FILE…    tells whether an audit trail is as it was written

Owns the commands, what they print, and their exit status; the package's own command, `stepup`, takes them from here.
Never does the work of one.
"""

import argparse
import asyncio
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from gateway.audit.operator import ending_sessions
from gateway.doctor.examination import examine
from gateway.errors import SessionStoreUnavailable
from gateway.operation.serving import serve
from gateway.session.own_sessions import OwnSessions
from gateway.settings import PREFIX, Settings
from gateway.store.opening import open_vault
from gateway.store.redis_clock import RedisClock
from servicekit.audit.command import add_audit_command, keys_of, verify
from servicekit.audit.opening import open_trail
from servicekit.audit.trail import Trail
from servicekit.doctor.report import drawn, report, settings_faults
from servicekit.setting_forms import is_guid
from servicekit.settings_faults import SettingsFault, load_settings
from servicekit.version import VERSION

NO_OBJECT_ID: Final = (
    "{oid!r} is no object id, and sessions are kept under that alone; nobody was signed out. It is a GUID: Entra admin "
    "center > Users > (the person) > Overview > Object ID, or `id` in what Microsoft Graph answers to GET "
    "/users/(the user principal name)?$select=id."
)
NOBODY: Final = (
    "Nobody of this id is signed in here. Sessions are kept under what the provider says in `sub` (or `oid`) of its "
    "tokens, to the letter; /api/session shows it to the person as user.id."
)


def _load() -> Settings:
    return load_settings(Settings, os.environ, PREFIX, env_file=Path(".env"))


def _trail(settings: Settings) -> AbstractContextManager[Trail | None]:
    """Give the audit trail's file; standard output is the operator's own here."""
    if settings.audit_file is None:
        return nullcontext()
    return open_trail(settings.audit_file, settings.trail_keys, service="gateway")


async def _end_sessions(settings: Settings, oid: str) -> int:
    if settings.tenant_id:
        if not is_guid(oid):
            print(NO_OBJECT_ID.format(oid=oid), file=sys.stderr)
            return 2
        oid = oid.lower()
    redis, vault, hints = open_vault(settings, now=RedisClock())
    tenant = settings.tenant_id or settings.issuer
    try:
        with _trail(settings) as trail:
            async with ending_sessions(vault, tenant, oid, trail) as counted:
                ended = counted.sessions = await OwnSessions(vault).end_all(tenant, oid)
    except SessionStoreUnavailable as error:
        ended = error.members.get("ended", 0)
        done = (
            f"{ended} sessions ended, and not all of them; say it again" if ended else "nobody was signed out"
        )
        print(f"Redis cannot be used, and {done}: {error.log_detail}.", file=sys.stderr)
        return 1
    finally:
        await hints.aclose()
        await redis.aclose()
    print(f"{ended} session{'' if ended == 1 else 's'} ended.")
    if not ended and not settings.tenant_id:
        print(NOBODY, file=sys.stderr)
    return 0


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
    """Do what was asked for; return the exit status, 2 for settings that cannot be used."""
    try:
        if arguments.command == "audit":
            text, status = verify(arguments, keys_of(_load, os.environ.get(f"{PREFIX}AUDIT_KEYS")))
            print(text)
            return status
        settings = _load()
    except SettingsFault as fault:
        print(fault, file=sys.stderr)
        if arguments.command == "doctor" and arguments.json:
            print(drawn(settings_faults(fault.lines), as_json=True))
        return 2
    if arguments.command == "doctor":
        text, status = report(examine(settings), as_json=arguments.json)
        print(text)
        return status
    if arguments.command == "end-sessions":
        return asyncio.run(_end_sessions(settings, arguments.oid))
    return serve(settings, _load, os.environ)


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
