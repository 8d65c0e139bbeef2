"""A session's tokens as they lie in the vault.

Owns the form of an access token's record, of MSAL's cache with its version, and of a remembered refusal.
Never talks to MSAL or the authority.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault

CACHE: Final = "cache"
REFUSAL_SECONDS: Final = 10
_LEFT_OUT: Final = frozenset({"AccessToken", "IdToken"})


@dataclass(frozen=True, slots=True)
class Resource:
    """A downstream resource: its short name in records, and the one scope that is asked for it.

    One resource per token request, always: the authority answers for the first only, and MSAL files the token
    under both.
    """

    name: str
    scope: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token and when it ends, in seconds since 1970; its value is kept out of every `repr`."""

    value: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True, slots=True)
class RememberedRefusal:
    """A refusal of the last seconds, until `until` (since 1970): a burst of calls costs one token request."""

    kind: str
    told: str
    claims: str | None
    until: float


class TokenRecords:
    """Reads and writes the token records of a session; writes to an ended session do nothing."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken | None:
        """Return the access token for `resource`, if one is kept and has not ended."""
        (stored,) = await self._read(session, f"token:{resource.name}")
        return read_record(AccessToken, stored)

    async def refusal(self, session: LiveSession, resource: Resource) -> RememberedRefusal | None:
        """Return the refusal of the last seconds, if there was one."""
        (stored,) = await self._read(session, f"refusal:{resource.name}")
        return read_record(RememberedRefusal, stored)

    async def cache(self, session: LiveSession) -> tuple[str | None, int]:
        """Return MSAL's serialized cache and its version."""
        stored, version = await self._vault.read_beside(
            session.ref, CACHE, f"{CACHE}_version", secret=session.cookie.secret
        )
        return (stored.decode() if stored is not None else None), version

    async def keep_token(self, session: LiveSession, resource: Resource, token: AccessToken) -> None:
        """Keep an access token until it ends."""
        await self._write(session, *self.token_field(resource, token))

    async def keep_cache(self, session: LiveSession, serialized: str, *, version: int) -> bool:
        """Keep MSAL's cache, if nobody has written it since `version`; an older view never replaces a newer one."""
        return await self._vault.swap(
            session.ref,
            CACHE,
            self.cache_field(serialized, session.absolute_at),
            version=version,
            secret=session.cookie.secret,
        )

    async def keep_refusal(
        self, session: LiveSession, resource: Resource, refusal: RememberedRefusal
    ) -> None:
        """Remember a refusal until it ends."""
        value = write_record(refusal)
        await self._write(session, f"refusal:{resource.name}", Field(value, refusal.until))

    async def forget_token(self, session: LiveSession, resource: Resource) -> None:
        """Drop the access token for `resource`: it was refused or challenged."""
        await self._vault.remove(session.ref, f"token:{resource.name}")

    @staticmethod
    def token_field(resource: Resource, token: AccessToken) -> tuple[str, Field]:
        """Return a token's record, for a session that is about to start."""
        return f"token:{resource.name}", Field(write_record(token), token.expires_at)

    @staticmethod
    def cache_field(serialized: str, expires_at: float) -> Field:
        """Return the cache's record, without what has a record of its own or is never used again.

        MSAL would hand out its copy of an access token that a resource has refused, or that we have not judged.
        """
        kept = {kind: held for kind, held in json.loads(serialized).items() if kind not in _LEFT_OUT}
        return Field(json.dumps(kept, separators=(",", ":")).encode(), expires_at)

    async def _read(self, session: LiveSession, *names: str) -> list[bytes | None]:
        return await self._vault.read(session.ref, names, secret=session.cookie.secret)

    async def _write(self, session: LiveSession, name: str, record: Field) -> None:
        await self._vault.write(session.ref, name, record, secret=session.cookie.secret)


def access_token_of(answer: dict[str, Any], *, now: float) -> AccessToken:
    """Return the access token of a token answer that is no refusal; a missing lifetime counts as an hour.

    Lifetimes come as numbers, and from some authorities as text (which MSAL takes as well).
    """
    told = answer.get("expires_in")
    if not isinstance(told, int | float | str) or isinstance(told, bool):
        told = 3600
    return AccessToken(answer["access_token"], now + int(told))
