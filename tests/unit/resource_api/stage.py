"""The resource API on a real socket, in front of the local tenant on another, and clients of it."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from local_tenant.app import create_app as create_tenant
from local_tenant.configuration import BUNDLED, load
from local_tenant.signing import KeyRing, SigningKey
from resource_api.access import GATEKEEPER, Gatekeeper
from resource_api.app import create_app, largest_head
from resource_api.patience import Patience
from resource_api.settings import PREFIX, Settings
from servicekit.audit.trail import Trail
from servicekit.challenges import BearerChallenge, parse_bearer_challenges
from servicekit.http.quiet_server import QuietRunner
from servicekit.jwt_form import LONGEST_TOKEN
from servicekit.reference import HEADER, RequestId
from servicekit.settings_faults import load_settings
from tests.stage.tenant import API, API_SECRET, GATEWAY, GATEWAY_SECRET, TENANT_ID, MovableClock, World
from tests.stage.trust import ONE_CERTIFICATE

SCOPE = "EditProfileService.ReadWrite"
# As in production, but for the waits that a test would have to sit through.
QUICK = Patience(pause=1, settle=(0.05, 0.1))
ADA = "ada@example.com"


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def slug(self) -> str:
        """The problem's type; checks the shape that every problem has."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        assert self.body["status"] == self.status
        assert self.body["title"]
        assert RequestId(self.headers[HEADER]).reference == self.body["reference"]
        return str(self.body["type"]).removeprefix("/problems/")

    @property
    def challenge(self) -> BearerChallenge:
        """The one bearer challenge."""
        (challenge,) = parse_bearer_challenges(self.headers.getall("WWW-Authenticate", []))
        return challenge


@dataclass
class Stage:
    """A running API with its tenant."""

    url: str
    world: World
    keys: KeyRing
    session: aiohttp.ClientSession
    clock: MovableClock
    gatekeeper: Gatekeeper
    tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, email: str = ADA) -> str:
        """Return the access token of a person who gave the second factor; the same one each time."""
        if email not in self.tokens:
            self.tokens[email] = str((await self.world.stepped_up(email=email)).body["access_token"])
        return self.tokens[email]

    async def send(self, method: str, path: str, **request: Any) -> Answer:
        async with self.session.request(method, f"{self.url}{path}", **request) as response:
            return Answer(response.status, response.headers, await response.text())

    async def patch(
        self, body: object, token: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a change as Ada, or with another token."""
        token = await self.token() if token is None else token
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})}
        return await self.send("PATCH", "/profile", data=content, headers=sent)

    async def held(self, email: str = ADA) -> dict[str, Any]:
        """Return the profile that Graph holds."""
        answer = await self.world.ask("GET", f"/admin/people/{email}/profile")
        held: dict[str, Any] = answer.body
        return held

    async def fault(self, point: str, **fault: object) -> None:
        """Let the tenant fail."""
        answer = await self.world.ask("PUT", f"/admin/faults/{point}", json=fault)
        assert answer.status < 300, answer

    async def asked(self, point: str) -> list[dict[str, Any]]:
        """Return what the tenant was asked at a point, newest last."""
        answer = await self.world.ask("GET", "/admin/requests", params={"point": point})
        listed: list[dict[str, Any]] = answer.body
        return listed

    def claims(self, **changed: object) -> dict[str, Any]:
        """Return the claims of a good access token, with changes; a change to ... drops the claim."""
        now = int(self.clock())
        claims: dict[str, object] = {
            "iss": f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0",
            "aud": API,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "azp": GATEWAY,
            "oid": "00000000-0000-4000-8000-000000000001",
            "sub": "pairwise",
            "tid": TENANT_ID,
            "scp": SCOPE,
            "ver": "2.0",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def forged(self, **changed: object) -> str:
        """Return a token that the authority signed, with changed claims."""
        return self.keys.sign(self.claims(**changed))


@asynccontextmanager
async def listening(app: web.Application, *, longest_token: int = LONGEST_TOKEN) -> AsyncIterator[str]:
    """Run an application on a free port and yield its address."""
    head = largest_head(longest_token)
    runner = QuietRunner(app, service="resource_api", largest_head=head, drain_seconds=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def settings_for(authority_map: str, **more: str) -> Settings:
    """Return settings as `python -m resource_api` would load them."""
    environment = {
        "tenant_subdomain": "stepuplocal",
        "tenant_id": TENANT_ID,
        "client_id": API,
        "client_secret": API_SECRET,
        "allowed_clients": GATEWAY,
        "authority_map": authority_map,
        **more,
    }
    return load_settings(
        Settings, {PREFIX + name.upper(): text for name, text in environment.items()}, PREFIX
    )


@asynccontextmanager
async def running_api(
    make_key: Callable[[], SigningKey],
    *,
    graph: str | None = None,
    patience: Patience = QUICK,
    trail: Trail | None = None,
    **settings: str,
) -> AsyncIterator[Stage]:
    """Run tenant and API; `graph` is another address for Graph than the tenant's; the audit trail goes to `trail`."""
    clock = MovableClock(time.time())
    keys = KeyRing(make_key)
    values = dict.fromkeys(("GATEWAY_CERTIFICATE", "API_CERTIFICATE"), "") | {
        "GATEWAY_URL": "http://localhost:3000",
        "GATEWAY_SECRET": GATEWAY_SECRET,
        "API_SECRET": API_SECRET,
    }
    # The tenant writes its own address into its metadata, and has it only once it listens: any text will do here.
    tenant = create_tenant(load(BUNDLED, values), public_url="http://127.0.0.1:1", clock=clock, keys=keys)
    settings = {"ca_bundle": ONE_CERTIFICATE, **settings}
    async with listening(tenant) as tenant_url, aiohttp.ClientSession() as session:
        world = World(tenant_url, clock, session)
        hosts = f"stepuplocal.ciamlogin.com={tenant_url},graph.microsoft.com={graph or tenant_url}"
        api = create_app(
            settings_for(hosts, **settings), patience=patience, now=clock, monotonic=clock, trail=trail
        )
        async with listening(api) as url:
            yield Stage(url, world, keys, session, clock, api[GATEKEEPER])
        await world.close()
