"""A session's tokens as they lie among its records.

Owns what an access token, MSAL's cache and a remembered refusal are as records; and which of them survive a
step-up. Never talks to MSAL or the authority, and never reads or writes a record.
"""

import json
from dataclasses import dataclass
from typing import Final

from gateway.session.records import RecordKind
from gateway.store.fields import Field
from gateway.tokens.access_token import AccessToken
from gateway.tokens.resources import Resource

REFUSAL_SECONDS: Final = 10
_LEFT_OUT: Final = frozenset({"AccessToken", "IdToken"})


@dataclass(frozen=True, slots=True)
class RememberedRefusal:
    """A refusal of the last seconds, until `until` (since 1970): a burst of calls costs one token request.

    `beside` says that it met a renewal beside the use of a token that lives: whoever has none any more asks anew.
    """

    kind: str
    told: str
    claims: str | None
    until: float
    beside: bool = False


TOKEN: Final = RecordKind("token", AccessToken, survives_step_up=True)
"""By resource. A step-up makes no token weaker: it goes along, and the one that was asked for replaces its own."""
REFUSAL: Final = RecordKind("refusal", RememberedRefusal)
"""By resource; without one, it holds the whole session."""
REPLACED: Final = RecordKind("replaced", int)
"""By resource, for some seconds: it refused a token, and has been given another one."""
CACHE: Final = RecordKind("cache", bytes)
"""MSAL's cache with the refresh token; a step-up brings its own."""
GRANTED: Final = RecordKind("granted", list[str])
"""The scopes that the refresh token reaches, where the authority said so, and a refresh token reaches no further."""


ID_TOKEN: Final = RecordKind("id_token", bytes)
"""What the authority's end-session endpoint is shown; there only where a setting asks for it."""


def token_entry(resource: Resource, token: AccessToken) -> dict[str, Field]:
    """Return an access token's record, which lasts as long as the token."""
    return TOKEN.entry(token, token.expires_at, resource.key)


def cache_entry(serialized: str, expires_at: float) -> dict[str, Field]:
    """Return the record of MSAL's cache, without what has a record of its own or is never used again.

    MSAL would hand out its copy of an access token that a resource has refused, or that we have not judged.
    """
    entries = {kind: held for kind, held in json.loads(serialized).items() if kind not in _LEFT_OUT}
    return CACHE.entry(json.dumps(entries, separators=(",", ":")).encode(), expires_at)


def holds_refresh_token(serialized: bytes | str) -> bool:
    """Tell whether MSAL's cache holds something to renew tokens with."""
    return bool(json.loads(serialized).get("RefreshToken"))


def with_newer_refresh_token(before: str, after: str) -> str:
    """Return MSAL's cache `before` with the refresh token that `after` got since, under whatever person it is there.

    For an answer whose ID token is refused: it may name somebody whom nobody has shown to be there.
    """
    caches = [json.loads(serialized) for serialized in (before, after)]
    old, new = ({entry["secret"] for entry in held.get("RefreshToken", {}).values()} for held in caches)
    for entry in caches[0].get("RefreshToken", {}).values():
        entry["secret"] = next(iter(new - old), entry["secret"])
    return json.dumps(caches[0])


def fields_to_renew(resource: Resource) -> tuple[str, ...]:
    """Return the names of the records that renewing a token of `resource` needs."""
    own = (TOKEN.field(resource.key), REFUSAL.field(resource.key), REFUSAL.field())
    return (*own, CACHE.field(), CACHE.version_field, GRANTED.field())
