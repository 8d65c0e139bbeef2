"""A running tenant for tests, and a client of it that speaks the protocol by hand, as our registrations would."""

import base64
import hashlib
import itertools
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from local_tenant.app import create_app
from local_tenant.configuration import BUNDLED, load
from local_tenant.signing import KeyRing
from tests.stage.visitor import Page, Visitor

TENANT_ID = "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"
GATEWAY = "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"
API = "a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8"
GRAPH = "00000003-0000-0000-c000-000000000000"
GATEWAY_SECRET = "gateway-secret-that-nobody-else-has"
API_SECRET = "api-secret-that-nobody-else-has"
CALLBACK = "http://localhost:3000/auth/callback"
EDIT = f"api://{API}/EditProfileService.ReadWrite"
SIGN_IN_SCOPE = "openid profile offline_access User.Read"
EDIT_SCOPE = f"openid profile offline_access {EDIT}"
ISSUER = f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
VERIFIER = "a-code-verifier-of-forty-three-characters-or-more"


@dataclass
class MovableClock:
    """Starts at the true time, because MSAL reads the machine's; moves when a test says so."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Answer:
    """A JSON answer."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def number(self) -> int:
        """The AADSTS number of a refusal."""
        (number,) = self.body["error_codes"]
        assert f"AADSTS{number}:" in self.body["error_description"]
        return int(number)


@dataclass
class World:
    """One running tenant."""

    url: str
    clock: MovableClock
    session: aiohttp.ClientSession
    """A client without a person: services, administrators."""
    _visitors: list[aiohttp.ClientSession] = field(default_factory=list)
    _counter: "itertools.count[int]" = field(default_factory=itertools.count)

    def visitor(self) -> Visitor:
        """Return a person with a browser of their own."""
        jar = aiohttp.CookieJar(unsafe=True)  # the tenant is at an IP address
        session = aiohttp.ClientSession(cookie_jar=jar)
        self._visitors.append(session)
        return Visitor(session, self.url)

    async def close(self) -> None:
        """Close the visitors' browsers."""
        for session in self._visitors:
            await session.close()

    def authorize_url(self, scope: str = SIGN_IN_SCOPE, **more: str) -> str:
        """Return an authorize URL of the gateway."""
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        fields = {
            "client_id": GATEWAY,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": scope,
            "state": f"state-{next(self._counter)}",
            "nonce": "nonce-1",
            "response_mode": "form_post",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "client_info": "1",
            **more,
        }
        members = {name: value for name, value in fields.items() if value}
        return f"{self.url}/{TENANT_ID}/oauth2/v2.0/authorize?{urlencode(members)}"

    async def ask(self, method: str, path: str, **arguments: Any) -> Answer:
        """Send a request to the tenant."""
        async with self.session.request(method, f"{self.url}{path}", **arguments) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text != ""
            return Answer(response.status, dict(response.headers), json.loads(text) if is_json else text)

    async def token(self, form: dict[str, str], headers: dict[str, str] | None = None) -> Answer:
        """Send a token request; empty fields are left out."""
        members = {name: value for name, value in form.items() if value}
        return await self.ask("POST", f"/{TENANT_ID}/oauth2/v2.0/token", data=members, headers=headers)

    async def redeem(self, page: Page, scope: str = SIGN_IN_SCOPE, **changed: str) -> Answer:
        """Redeem the code of an authorize answer as the gateway."""
        form = {
            "grant_type": "authorization_code",
            "client_id": GATEWAY,
            "client_secret": GATEWAY_SECRET,
            "code": page.answer.get("code", ""),
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "scope": scope,
            "client_info": "1",
            **changed,
        }
        return await self.token(form)

    async def refresh(self, refresh_token: str, scope: str = SIGN_IN_SCOPE, **changed: str) -> Answer:
        """Use a refresh token as the gateway."""
        form = {
            "grant_type": "refresh_token",
            "client_id": GATEWAY,
            "client_secret": GATEWAY_SECRET,
            "refresh_token": refresh_token,
            "scope": scope,
            **changed,
        }
        return await self.token(form)

    async def on_behalf_of(self, assertion: str, scope: str = "User.ReadWrite", **changed: str) -> Answer:
        """Exchange a token as the API."""
        form = {
            "grant_type": ON_BEHALF_OF,
            "client_id": API,
            "client_secret": API_SECRET,
            "assertion": assertion,
            "requested_token_use": "on_behalf_of",
            "scope": scope,
            **changed,
        }
        return await self.token(form)

    async def signed_in(self, visitor: Visitor | None = None, email: str = "ada@example.com") -> Answer:
        """Return the tokens of someone who signed in for ``User.Read``."""
        visitor = visitor or self.visitor()
        return await self.redeem(await visitor.sign_in(self.authorize_url(), email))

    async def stepped_up(self, visitor: Visitor | None = None, email: str = "ada@example.com") -> Answer:
        """Return the tokens of someone who gave the second factor for the API."""
        visitor = visitor or self.visitor()
        page = await visitor.sign_in(self.authorize_url(EDIT_SCOPE), email)
        return await self.redeem(await visitor.confirm(page, email), EDIT_SCOPE)

    async def graph_token(self, email: str = "ada@example.com") -> str:
        """Return the API's Graph token for someone, which may write."""
        stepped_up = await self.stepped_up(email=email)
        answer = await self.on_behalf_of(stepped_up.body["access_token"])
        return str(answer.body["access_token"])

    async def me(self, token: str, method: str = "GET", **arguments: Any) -> Answer:
        """Ask Graph about the person of a token."""
        headers = {"Authorization": f"Bearer {token}", **arguments.pop("headers", {})}
        return await self.ask(method, "/v1.0/me", headers=headers, **arguments)


@asynccontextmanager
async def running_tenant(clock: MovableClock, keys: KeyRing | None = None) -> AsyncIterator[World]:
    """Run the tenant on a free port while the block runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        values = {
            "GATEWAY_URL": "http://localhost:3000",
            "GATEWAY_SECRET": GATEWAY_SECRET,
            "GATEWAY_CERTIFICATE": "",
            "API_SECRET": API_SECRET,
            "API_CERTIFICATE": "",
        }
        app = create_app(load(BUNDLED, values), public_url=url, clock=clock, keys=keys)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        async with aiohttp.ClientSession() as session:
            world = World(url, clock, session)
            yield world
            await world.close()
        await runner.cleanup()


def claims_of(token: str) -> dict[str, Any]:
    """Return a token's claims, unverified."""
    segment = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return claims


def header_of(token: str) -> dict[str, Any]:
    """Return a token's header."""
    segment = token.split(".", maxsplit=1)[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return header
