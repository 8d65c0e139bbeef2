"""How much memory a session takes in Valkey: compressed, then sealed, with its indexes.

Starts a Valkey of its own, writes sessions by way of the gateway's own stores, asks Valkey for its memory before and
after, and extrapolates. Tokens are as large as Entra's are; their text is random, as a signature is.

    python -m benchmarks.bench_session_memory [--sessions 100000]
"""

import argparse
import asyncio
import base64
import json
import os
import secrets
import tempfile
import time
from contextlib import closing
from pathlib import Path

from redis.asyncio import Redis

from devstack.embedded_valkey import EmbeddedValkey
from devstack.keeper import Keeper
from devstack.ports import free_port
from devstack.processes import Child
from gateway.authority.token_records import CACHE, AccessToken, Resource, TokenRecords
from gateway.session.session_cookie import SessionCookie
from gateway.session.sessions import SessionStore, UserSession
from gateway.store.redis_connection import redis_client
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault

ACCESS_TOKEN = 1_900
REFRESH_TOKEN = 1_350
ID_TOKEN = 1_250
AT_ONCE = 40
HOUR = 3_600


def token(size: int) -> str:
    """Return text like that of a token: base64url, which compresses by a quarter at most."""
    return base64.urlsafe_b64encode(secrets.token_bytes(size * 3 // 4)).decode()


def cache_of(oid: str, tid: str) -> str:
    """Return what MSAL keeps after a sign-in: one of each."""
    home = f"{oid}.{tid}"
    host = f"{tid}.ciamlogin.com"
    common = {"home_account_id": home, "environment": host, "client_id": secrets.token_hex(16)}
    return json.dumps(
        {
            "AccessToken": {f"{home}-at": {**common, "secret": token(ACCESS_TOKEN), "target": "User.Read"}},
            "Account": {
                home: {**common, "username": "person@example.com", "realm": tid, "local_account_id": oid}
            },
            "IdToken": {f"{home}-id": {**common, "secret": token(ID_TOKEN), "realm": tid}},
            "RefreshToken": {f"{home}-rt": {**common, "secret": token(REFRESH_TOKEN), "target": "User.Read"}},
            "AppMetadata": {f"app-{host}": common},
        }
    )


def person() -> UserSession:
    """Return somebody who has signed in."""
    oid, tid, sub = secrets.token_hex(16), secrets.token_hex(16), secrets.token_urlsafe(32)
    claims = {"oid": oid, "tid": tid, "sub": sub, "name": "Somebody Synthetic", "aud": tid, "ver": "2.0"}
    return UserSession(
        tid=tid,
        oid=oid,
        sub=sub,
        sid=secrets.token_hex(16),
        name="Somebody Synthetic",
        username="person@example.com",
        device="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
        created_at=int(time.time()),
        claims={**claims, "preferred_username": "person@example.com", "login_hint": token(200)},
    )


async def fill(sessions: SessionStore, count: int) -> None:
    """Start so many sessions, each with one access token and MSAL's cache."""
    soon = time.time() + HOUR
    for _ in range(count):
        user = person()
        name, record = TokenRecords.token_field(
            Resource("graph", "User.Read"), AccessToken(token(ACCESS_TOKEN), soon)
        )
        cache = TokenRecords.cache_field(cache_of(user.oid, user.tid), soon)
        await sessions.start(user, {name: record, CACHE: cache}, cookie=SessionCookie.new())


async def measure(url: str, count: int) -> None:
    """Write and print."""
    client = redis_client(url)
    vault = Vault(client, KeyRing([secrets.token_bytes(32)]), now=time.time)
    sessions = SessionStore(vault, now=time.time, idle=8 * HOUR, absolute=8 * HOUR)
    async with Redis.from_url(url) as plain:
        before = (await plain.info("memory"))["used_memory"]
        began = time.monotonic()
        await asyncio.gather(*(fill(sessions, count // AT_ONCE) for _ in range(AT_ONCE)))
        seconds = time.monotonic() - began
        written = count // AT_ONCE * AT_ONCE
        memory = await plain.info("memory")
        each = (memory["used_memory"] - before) / written
        keys = await plain.dbsize()
    await client.aclose()
    plain_size = len(cache_of("o" * 32, "t" * 32)) + ACCESS_TOKEN + len(person().model_dump_json())
    print(f"sessions                    {written}")
    print(f"keys per session            {keys / written:.1f}")
    print(f"bytes per session           {each:.0f}")
    print(f"of its plain text           {each / plain_size:.2f}")
    print(f"for a million, GB           {each / 1000:.2f}")
    print(f"resident / used             {memory['used_memory_rss'] / memory['used_memory']:.2f}")
    print(f"sessions written per second {written / seconds:.0f}")


def main() -> None:
    """Start a Valkey, measure, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    count = parser.parse_args().sessions
    server = EmbeddedValkey(free_port(), secrets.token_urlsafe(16))
    with tempfile.TemporaryDirectory() as folder, closing(Keeper()) as keeper:
        child = Child(server.program(os.environ, Path(folder)), keeper)
        child.start()
        try:
            while not server.ready():
                time.sleep(0.02)
            asyncio.run(measure(server.url, count))
        finally:
            child.stop(grace=5)


if __name__ == "__main__":
    main()
