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
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from devstack.embedded_valkey import EmbeddedValkey
from devstack.keeper import Keeper
from devstack.ports import free_port
from devstack.processes import Child
from gateway.edge.devices import device_name
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import SessionStore, UserSession
from gateway.store.fields import Field
from gateway.store.redis.budget import RedisLimits
from gateway.store.redis.connection import redis_client
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from gateway.tokens.access_token import AccessToken
from gateway.tokens.resources import GRAPH, Resource
from gateway.tokens.token_records import cache_entry, token_entry

ACCESS_TOKEN = 1_900
SIGNATURE = 256
PATIENT = RedisLimits(command=30, attempt=60, request=60)
REFRESH_TOKEN = 1_350
ID_TOKEN = 1_250
AT_ONCE = 40
HOUR = 3_600
TENANT, CLIENT, SUBDOMAIN = str(uuid.uuid4()), str(uuid.uuid4()), "somebodys"
SCOPES = "User.Read openid profile offline_access"


def token(size: int) -> str:
    """Return text like that of a token: base64url, which compresses by a quarter at most."""
    return base64.urlsafe_b64encode(secrets.token_bytes(size * 3 // 4)).decode()


def access_token(user: UserSession) -> str:
    """Return a token such as Entra's: a header, claims and a signature."""
    header = {"typ": "JWT", "alg": "RS256", "kid": secrets.token_urlsafe(20)}
    claims = {
        **user.claims,
        "aud": "00000003-0000-0000-c000-000000000000",
        "app_displayname": "Somebody's portal",
        "azp": CLIENT,
        "azpacr": "1",
        "idtyp": "user",
        "scp": SCOPES,
        "xms_ftd": token(64),
        "xms_tcdt": user.created_at,
    }
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    written = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    compact = ".".join(
        [*written, base64.urlsafe_b64encode(secrets.token_bytes(SIGNATURE)).rstrip(b"=").decode()]
    )
    assert abs(len(compact) - ACCESS_TOKEN) < ACCESS_TOKEN / 10, len(compact)
    return compact


def cache_of(user: UserSession) -> str:
    """Return what MSAL keeps after a sign-in: one of each."""
    home, host, now = f"{user.oid}.{TENANT}", f"{SUBDOMAIN}.ciamlogin.com", str(user.created_at)
    common = {"home_account_id": home, "environment": host}
    mine = {"client_id": CLIENT, "target": SCOPES}
    return json.dumps(
        {
            "AccessToken": {
                f"{home}-{host}-accesstoken-{CLIENT}-{TENANT}-{SCOPES}": {
                    "credential_type": "AccessToken",
                    "secret": access_token(user),
                    **common,
                    **mine,
                    "realm": TENANT,
                    "token_type": "Bearer",
                    "cached_at": now,
                    "expires_on": now,
                    "extended_expires_on": now,
                }
            },
            "Account": {
                f"{home}-{host}-{TENANT}": {
                    **common,
                    "realm": TENANT,
                    "local_account_id": user.oid,
                    "username": user.username,
                    "authority_type": "MSSTS",
                    "account_source": "authorization_code",
                }
            },
            "IdToken": {
                f"{home}-{host}-idtoken-{CLIENT}-{TENANT}-": {
                    "credential_type": "IdToken",
                    "secret": token(ID_TOKEN),
                    **common,
                    "realm": TENANT,
                    "client_id": CLIENT,
                }
            },
            "RefreshToken": {
                f"{home}-{host}-refreshtoken-{CLIENT}--{SCOPES}": {
                    "credential_type": "RefreshToken",
                    "secret": f"1.A{token(REFRESH_TOKEN)}",
                    **common,
                    **mine,
                    "last_modification_time": now,
                }
            },
            "AppMetadata": {f"appmetadata-{host}-{CLIENT}": {"client_id": CLIENT, "environment": host}},
        }
    )


def person() -> UserSession:
    """Return somebody who has signed in, with the claims of Entra's ID token."""
    oid, sub, now = str(uuid.uuid4()), secrets.token_urlsafe(32), int(time.time())
    name, email = secrets.token_hex(8), f"{secrets.token_hex(6)}@example.com"
    claims: dict[str, Any] = {
        "aud": CLIENT,
        "iss": f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + HOUR,
        "aio": token(64),
        "login_hint": f"O.{token(160)}",
        "name": name,
        "nonce": secrets.token_hex(32),
        "oid": oid,
        "preferred_username": email,
        "rh": f"1.{token(32)}",
        "sid": str(uuid.uuid4()),
        "sub": sub,
        "tid": TENANT,
        "uti": token(22),
        "ver": "2.0",
    }
    return UserSession(
        tid=TENANT,
        oid=oid,
        sub=sub,
        sid=claims["sid"],
        name=name,
        username=email,
        login_hint=claims["login_hint"],
        device=device_name("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36"),
        created_at=now,
        claims=claims,
    )


def records_of(user: UserSession) -> dict[str, Field]:
    """Return one access token and MSAL's cache."""
    soon = time.time() + HOUR
    token = AccessToken(access_token(user), soon)
    return {**token_entry(Resource(GRAPH, "User.Read"), token), **cache_entry(cache_of(user), soon)}


async def fill(sessions: SessionStore, count: int) -> None:
    """Start so many sessions."""
    for _ in range(count):
        user = person()
        await sessions.start(user, records_of(user), cookie=SessionCookie.new())


async def measure(url: str, count: int) -> None:
    """Write and print."""
    client = redis_client(url, limits=PATIENT)
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
    user = person()
    plain_size = sum(len(field.value) for field in records_of(user).values()) + len(user.model_dump_json())
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
