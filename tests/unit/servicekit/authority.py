"""A tiny authority: metadata and keys on a socket, failing on order, and tokens signed by its keys."""

import asyncio
import base64
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from servicekit.address_map import AddressMap
from servicekit.discovery import Discovery
from servicekit.jwt_claims import ClaimRules, check_claims, checks_named
from servicekit.jwt_form import TokenRejected
from servicekit.jwt_verifier import JwtVerifier, SigningKeys
from servicekit.last_known_good import WAIT_SECONDS, KnownGoodStore
from servicekit.outbound import Outbound, outbound
from tests.stage.trust import ONE_CERTIFICATE

HOST = "login.example.com"
ISSUER = f"https://{HOST}/tenant/v2.0"
URL = f"{ISSUER}/.well-known/openid-configuration"
AUDIENCE = "a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8"
TENANT = "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"
NOW = 1_800_000_000

_stock = itertools.cycle(generate_private_key(65537, 2048) for _ in range(3))


def encoded(part: object) -> str:
    """Return a token's part: JSON, or bytes as they are."""
    content = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Signer:
    """One key of the authority."""

    kid: str
    private: RSAPrivateKey = field(default_factory=lambda: next(_stock))

    def jwk(self, **changed: object) -> dict[str, Any]:
        """Return the public half."""
        members: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        members.pop("key_ops", None)
        return {**members, "use": "sig", "kid": self.kid, **changed}

    def sign(self, claims: object, **header: object) -> str:
        """Return a token with this key's RS256 signature over whatever header and claims are given."""
        head = {"typ": "JWT", "alg": "RS256", "kid": self.kid, **header}
        signed = (
            f"{encoded({name: value for name, value in head.items() if value is not ...})}.{encoded(claims)}"
        )
        algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        return f"{signed}.{encoded(algorithm.sign(signed.encode(), self.private))}"


def claims(**changed: object) -> dict[str, Any]:
    """Return good claims with changes; a change to ... drops the claim."""
    members: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": NOW + 3600,
        "iat": NOW,
        "nbf": NOW,
        "tid": TENANT,
        "ver": "2.0",
        "oid": "an-oid",
        "sub": "a-sub",
        **changed,
    }
    return {name: value for name, value in members.items() if value is not ...}


RULES = ClaimRules(
    issuer=ISSUER,
    audience=AUDIENCE,
    checks=checks_named(
        "issuer",
        "audience",
        "authorized party",
        "expiry",
        "issued at",
        "not before",
        "subject",
        "tenant",
        "version",
        "object id",
    ),
    tenant_id=TENANT,
    version="2.0",
)


def fault(rules: ClaimRules, **changed: object) -> str:
    """Return why claims are refused, "" where they are not."""
    try:
        check_claims(claims(**changed), rules, NOW)
    except TokenRejected as rejected:
        return str(rejected)
    return ""


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Authority:
    """What the servers say, and how often they were asked."""

    outbound: Outbound
    signers: list[Signer]
    ticks: Clock = field(default_factory=lambda: Clock(1000.0))
    wall: Clock = field(default_factory=lambda: Clock(NOW))
    wait_seconds: float = WAIT_SECONDS
    """How long a use waits for newer keys in the next life."""
    metadata: dict[str, object] = field(default_factory=dict)
    body: bytes | None = None
    keys_body: bytes | None = None
    """The key set, where it is not that of the signers."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, nobody is answered."""
    asked: dict[str, int] = field(default_factory=lambda: {"metadata": 0, "keys": 0})

    def __post_init__(self) -> None:
        self.answers.set()
        self.metadata = {
            "issuer": ISSUER,
            "jwks_uri": f"https://{HOST}/tenant/keys",
            "authorization_endpoint": f"https://{HOST}/tenant/authorize",
            "token_endpoint": f"https://{HOST}/tenant/token",
            "end_session_endpoint": f"https://{HOST}/tenant/logout",
        }
        self.next_life(None)

    def next_life(self, store: KnownGoodStore | None) -> JwtVerifier:
        """Return a verifier that knows nothing yet but what lies in the store, and use its parts from here on."""
        self.discovery = Discovery(self.outbound, url=URL, issuer=ISSUER, now=self.ticks, store=store)
        self.keys = SigningKeys(
            self.outbound, self.discovery, now=self.ticks, store=store, wait_seconds=self.wait_seconds
        )
        self.verifier = JwtVerifier(self.keys, now=self.wall)
        return self.verifier

    async def answer_metadata(self, _request: web.Request) -> web.Response:
        self.asked["metadata"] += 1
        return await self._answer(self.metadata)

    async def answer_keys(self, _request: web.Request) -> web.Response:
        self.asked["keys"] += 1
        return await self._answer({"keys": [signer.jwk() for signer in self.signers]}, self.keys_body)

    async def _answer(self, document: object, instead: bytes | None = None) -> web.Response:
        await self.answers.wait()
        await asyncio.sleep(self.delay)
        body = self.body if self.body is not None else instead or json.dumps(document).encode()
        return web.Response(
            status=self.status, body=body, headers=self.headers, content_type="application/json"
        )


@asynccontextmanager
async def running_authority() -> AsyncIterator[Authority]:
    """Run an authority with one key."""
    app = web.Application()
    authority: list[Authority] = []
    app.router.add_get("/tenant/v2.0/.well-known/openid-configuration", _late(authority, "answer_metadata"))
    app.router.add_get("/tenant/keys", _late(authority, "answer_keys"))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with outbound(AddressMap({HOST: address}), ONE_CERTIFICATE) as network:
            authority.append(Authority(network, [Signer("one")]))
            yield authority[0]
    finally:
        await runner.cleanup()


def _late(holder: list[Authority], name: str) -> Callable[[web.Request], Any]:
    async def handler(request: web.Request) -> web.Response:
        answer: web.Response = await getattr(holder[0], name)(request)
        return answer

    return handler


async def settled() -> None:
    """Wait for what runs in the background."""
    fetches = [task for task in asyncio.all_tasks() if task.get_name().startswith("fetch ")]
    if fetches:
        await asyncio.wait(fetches)


def now_in_seconds() -> int:
    """Return the real time, where a part can't be given another."""
    return int(time.time())
