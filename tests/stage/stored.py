"""A session's records as they lie in the store at this moment, for tests that look behind the product."""

from typing import TypeVar

from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from gateway.tokens.access_token import AccessToken
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import CACHE, TOKEN

T = TypeVar("T")


async def stored(session: LiveSession, kind: RecordKind[T], key: str = "") -> T | None:
    """Return a record as it is now, whatever this session has read before."""
    await session.records.refresh([kind.field(key)])
    return await session.records.get(kind, key)


async def stored_token(session: LiveSession, resource: Resource) -> AccessToken | None:
    """Return the access token for a resource as it is now."""
    return await stored(session, TOKEN, resource.key)


async def stored_cache(session: LiveSession) -> tuple[bytes, int]:
    """Return MSAL's cache with its version as they are now."""
    await session.records.refresh([CACHE.field(), CACHE.version_field])
    return await session.records.get(CACHE) or b"", await session.records.version(CACHE)


async def drop_record(vault: Vault, ref: SessionRef, name: str) -> None:
    """Remove a record of a session."""
    await vault.write(ref, {name: None}, secret=b"")
