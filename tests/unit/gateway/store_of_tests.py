"""What tests of one module put into the store."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.store.fields import Field
from gateway.store.indexes import SessionIndexes
from gateway.store.names import SessionRef, digest_of
from gateway.store.vault import Vault

NOW: Final = 1_750_000_000.0
IDLE: Final = 600
ABSOLUTE: Final = 6000
RING_KEY: Final = b"k" * 32
# The indexes that name a session of Ada's, whose session at the authority is `a-sid`.
OWNERS: Final = {
    "person": digest_of("a-tenant", "ada"),
    "sub": digest_of("a-tenant", "sub-of-ada"),
    "sid": digest_of("a-tenant", "a-sid"),
}


def ada(**changed: Any) -> UserSession:
    """Return what a session of Ada's remembers."""
    known = {
        "tid": "a-tenant",
        "oid": "ada",
        "sub": "sub-of-ada",
        "name": "Ada Lovelace",
        "username": "ada@example.com",
        "created_at": int(NOW),
    }
    return UserSession(**{**known, **changed})


async def begun(
    sessions: SessionStore, records: Mapping[str, Field] | None = None, **changed: Any
) -> LiveSession:
    """Return a session of Ada's that has just begun."""
    session = await sessions.start(ada(**changed), records or {}, cookie=SessionCookie.new())
    assert session
    return session


async def indexed(vault: Vault, kind: str) -> list[SessionRef]:
    """Return the sessions that one of the indexes of Ada names."""
    return await SessionIndexes(vault).indexed(kind, OWNERS[kind])


async def lifetime(vault: Vault, session: LiveSession) -> float:
    """Return for how many seconds more Redis keeps the session."""
    left: int = await vault.redis.pttl(session.ref.key)
    return left / 1000
