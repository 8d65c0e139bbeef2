"""What an operator does from a shell, recorded like what happens in a request.

Owns that the person sees it, and that each session that it ends is a line of the trail.
Never knows which operator it was: the shell's own log does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.audit.activity import Activity
from gateway.audit.facts import SESSION_ENDED
from gateway.audit.origin import Origin, coming_from
from gateway.audit.recorder import Audit
from gateway.audit.subject import Subject
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from servicekit.audit.trail import Trail

_NO_SESSION = SessionRef("", "")


class Ended:
    """How many sessions were ended, once that is known."""

    sessions = 0


@asynccontextmanager
async def ending_sessions(vault: Vault, tid: str, oid: str, trail: Trail | None) -> AsyncIterator[Ended]:
    """Let the block end a person's sessions, and say how many; the person sees it."""
    activity = Activity(vault)
    audit = Audit(vault, activity, trail, now=vault.now)
    vault.ends.on_end = audit.session_ended
    who, ended = Subject(tid, oid, _NO_SESSION), Ended()
    with coming_from(Origin(route="end-sessions", subject=who)):
        try:
            yield ended
        finally:
            if ended.sessions:
                audit.show(SESSION_ENDED, who, reason="ended-by-operator", sessions=ended.sessions)
            await activity.aclose()
