"""Signing a person out everywhere, from an operator's shell.

Owns the order, what is printed of it, and its exit status.
Never reads the environment, and never asks anybody but Redis.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from gateway.audit.operator import ending_sessions
from gateway.errors import SessionStoreUnavailable
from gateway.session.own_sessions import OwnSessions
from gateway.settings import Settings
from gateway.store.opening import open_vault
from gateway.store.redis_clock import RedisClock
from servicekit.audit.opening import open_trail
from servicekit.audit.trail import Trail
from servicekit.setting_forms import is_guid

NO_OBJECT_ID: Final = (
    "{oid!r} is no object id, and sessions are kept under that alone; nobody was signed out. It is a GUID: Entra admin "
    "center > Users > (the person) > Overview > Object ID, or `id` in what Microsoft Graph answers to GET "
    "/users/(the user principal name)?$select=id."
)
NOBODY: Final = (
    "Nobody of this id is signed in here. Sessions are kept under what the provider says in `sub` (or `oid`) of its "
    "tokens, to the letter; /api/session shows it to the person as user.id."
)


async def end_sessions(settings: Settings, oid: str) -> int:
    """End every session of a person, and return the exit status: 1 where Redis can't be used, 2 for no object id."""
    if settings.tenant_id:
        if not is_guid(oid):
            _say(NO_OBJECT_ID.format(oid=oid))
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
        _say(f"Redis cannot be used, and {done}: {error.log_detail}.")
        return 1
    finally:
        await hints.aclose()
        await redis.aclose()
    sys.stdout.write(f"{ended} session{'' if ended == 1 else 's'} ended.\n")
    if not ended and not settings.tenant_id:
        _say(NOBODY)
    return 0


def _trail(settings: Settings) -> AbstractContextManager[Trail | None]:
    """Give the audit trail's file; standard output is the operator's own here."""
    if settings.audit_file is None:
        return nullcontext()
    return open_trail(settings.audit_file, settings.trail_keys, service="gateway")


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
