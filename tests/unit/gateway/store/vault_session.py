"""A vault with a session, for the tests of it."""

from collections.abc import Sequence

from gateway.session.cookie import SessionCookie
from gateway.store.fields import Field
from gateway.store.names import SessionRef, index_key
from gateway.store.vault import (
    Indexing,
    Stored,
    Successor,
    Vault,
)
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW

SECRET = b"s" * 32
NOTE = {"note": Field(b"hi", NOW + 60)}
OWNERS = [("person", "ada"), ("sub", "sub-of-ada")]
INDEXING = Indexing(OWNERS, NOW, ABSOLUTE)


async def created(vault: Vault, family: str | None = None, successor: Successor | None = None) -> SessionRef:
    """Return a session with a note."""
    ref = SessionCookie.new(family).ref
    assert await vault.create(ref, NOTE, idle=IDLE, secret=SECRET, indexing=INDEXING, successor=successor)
    return ref


def opened(vault: Vault, ref: SessionRef, stored: Stored, name: str = "note") -> bytes | None:
    field = vault.open(ref, name, stored.get(name), secret=SECRET)
    return field.value if field else None


async def note(vault: Vault, ref: SessionRef) -> bytes | None:
    """Return the note as it is now."""
    return opened(vault, ref, await vault.read(ref, ["note"]))


async def indexed(vault: Vault, owner: tuple[str, str] = OWNERS[0]) -> Sequence[bytes]:
    members: Sequence[bytes] = await vault.redis.zrange(index_key(*owner), 0, -1)
    return members
