"""What holds of the store at any moment, whatever was killed, cancelled or lost before."""

import json
from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from gateway.session.cookie import SessionCookie
from gateway.session.sessions import RECORD
from gateway.session.summary import SUMMARY
from gateway.store.leases import LEASE_SECONDS
from gateway.store.names import PREFIX, SessionRef
from gateway.store.vault import Vault
from gateway.tokens.token_records import CACHE


async def violations(redis: "Redis", vault: Vault, cookies: Iterable[str] = ()) -> list[str]:
    """Return a sentence for everything that is wrong; `cookies` are those that browsers hold now."""
    found: list[str] = []
    sessions: set[str] = set()
    indexed: set[str] = set()
    ended: set[str] = set()
    async for raw in redis.scan_iter():
        key = raw.decode()
        left = await redis.pttl(key)
        if left == -1:
            found.append(f"{key} has no lifetime")
        if not key.startswith(f"{PREFIX}:"):
            found.append(f"{key} is not ours")
        if ":lock:" in key and left > LEASE_SECONDS * 1000:
            found.append(f"{key} outlives a lease")
        if key.startswith(f"{PREFIX}:index:"):
            members: list[Any] = await redis.zrange(key, 0, -1)
            indexed |= {SessionRef.unpack(member).key for member in members}
        elif key.endswith(":ended"):
            ended.add(key.removesuffix(":ended"))
        elif key.startswith(f"{PREFIX}:{{") and ":lock:" not in key:
            sessions.add(key)
            fields: list[Any] = await redis.hkeys(key)
            names = {name.decode() for name in fields}
            if absent := {RECORD, SUMMARY, CACHE.field(), "seen"} - names:
                found.append(f"{key} is half a session: {sorted(absent)} are absent")
    found += [f"{key} lives and has ended" for key in sessions & ended]
    found += [f"{key} is found by no sign-out" for key in sessions - indexed]
    for text in cookies:
        found += await _not_whole(vault, text, sessions)
    return found


async def _not_whole(vault: Vault, text: str, sessions: set[str]) -> list[str]:
    cookie = SessionCookie.parse(text)
    assert cookie is not None
    if cookie.ref.key not in sessions:
        return []
    secrets = {RECORD: cookie.secret, CACHE.field(): cookie.secret, SUMMARY: b""}
    stored = await vault.read(cookie.ref, list(secrets))
    opened = {
        name: vault.open(cookie.ref, name, stored[name], secret=secret) for name, secret in secrets.items()
    }
    closed = [name for name, field in opened.items() if field is None or not json.loads(field.value)]
    return [f"{cookie.ref.short} does not open: {closed}"] if closed else []


async def drop_leases(redis: "Redis", *, after: float = 0) -> None:
    """Spare a test the seconds that the lease of a holder lives who could not let go; others wait for it.

    It ends at once, or `after` so many seconds, by itself.
    """
    async for key in redis.scan_iter("*:lock:*"):
        assert 0 < await redis.pttl(key) <= LEASE_SECONDS * 1000
        await redis.pexpire(key, round(after * 1000))
