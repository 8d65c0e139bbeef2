"""npm's oidc-provider as the gateway's authority, over TLS with a private certificate authority."""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt
import pytest
from aiohttp import web
from yarl import URL

from gateway.app import create_app
from tests.stage.certificates import Flaw, server_context
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.sources import ROOT
from tests.stage.tenant import MovableClock, World, running_tenant
from tests.stage.world import PATIENT, gateway_settings, served

PROVIDERS: Final = Path(__file__).parent / "providers"
CLIENT: Final = "interop-client"
SECRET: Final = "a-secret-of-the-interop-client"
API: Final = "https://api.example"
MFA: Final = "urn:interop:mfa"
# So short that each test sees several lives of a token.
TOKEN_SECONDS: Final = 3


@dataclass(frozen=True)
class Tls:
    """Files in PEM form."""

    authority: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Make a certificate authority and a certificate for 127.0.0.1, in one file with its key."""
    folder = tmp_path_factory.mktemp("tls")
    _, authority = server_context(folder, Flaw())
    return Tls(Path(authority), folder / "chain.pem", folder / "chain.pem")


@dataclass
class ProfileApi:
    """Stands for Graph and the resource API: reads for `profile.read`, edits for `profile.edit` with a second factor.

    Judges the provider's access tokens by PyJWT alone, to the second, and asks in the words of RFC 6750 and RFC 9470.
    """

    keys: Callable[[], Awaitable[Any]]
    seen: list[str] = field(default_factory=list)
    """Every access token that came, in order."""

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application()
        app.router.add_get("/v1.0/me", self._read)
        app.router.add_patch("/profile", self._edit)
        return app

    async def _claims(self, request: web.Request) -> dict[str, Any]:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        kid = jwt.get_unverified_header(token)["kid"]
        keys = jwt.PyJWKSet.from_dict(await self.keys())
        claims: dict[str, Any] = jwt.decode(
            token, keys[kid].key, algorithms=[keys[kid].algorithm_name], audience=API
        )
        return claims

    async def _read(self, request: web.Request) -> web.Response:
        try:
            claims = await self._claims(request)
        except jwt.ExpiredSignatureError:
            return _challenge(401, 'Bearer error="invalid_token"')
        assert "profile.read" in claims["scope"].split()
        return web.json_response({"id": claims["sub"], "displayName": "Ada Lovelace", "city": "London"})

    async def _edit(self, request: web.Request) -> web.Response:
        try:
            claims = await self._claims(request)
        except jwt.ExpiredSignatureError:
            return _challenge(401, 'Bearer error="invalid_token"')
        if "profile.edit" not in claims["scope"].split():
            return _challenge(403, 'Bearer error="insufficient_scope", scope="profile.edit"')
        if claims.get("acr") != MFA:
            return _challenge(
                401,
                f'Bearer error="insufficient_user_authentication", acr_values="{MFA}", max_age="300"',
            )
        return web.json_response({"id": claims["sub"], **await request.json()})


def _challenge(status: int, text: str) -> web.Response:
    return web.json_response({}, status=status, headers={"WWW-Authenticate": text})


@dataclass
class InteropWorld:
    """The gateway, the provider and the API."""

    gateway_url: str
    issuer: str
    api: ProfileApi
    person: OtherFrontEnd

    async def renewed(self, call: Callable[[], Awaitable[Answer]]) -> None:
        """Repeat a call, which goes well each time, until it came with a token that had not been seen before."""
        before = {*self.api.seen}
        async with asyncio.timeout(PATIENCE):
            while {*self.api.seen} <= before:
                answer = await call()
                assert answer.status == 200, answer.text
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_provider(command: list[str], configuration: dict[str, Any]) -> AsyncIterator[None]:
    """Run a provider while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *command,
        json.dumps(configuration),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
    )
    assert process.stdout is not None
    lines: list[str] = []

    async def listen(output: asyncio.StreamReader) -> None:
        while line := await output.readline():
            lines.append(line.decode())

    listening = asyncio.create_task(listen(process.stdout))
    try:
        async with asyncio.timeout(PATIENCE):
            while "listening\n" not in lines:
                assert not listening.done(), "".join(lines)
                await asyncio.sleep(0.02)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await listening
        print("".join(lines))  # noqa: T201 - beside a failure


@pytest.fixture
async def tenant() -> AsyncIterator[World]:
    """Run the local tenant, at the true time: clients read the machine's clock."""
    async with running_tenant(MovableClock(time.time())) as running:
        yield running


@pytest.fixture
def make_world(node: str, tls: Tls, valkey: str) -> Callable[..., AbstractAsyncContextManager[InteropWorld]]:
    """Give a maker of worlds.

    `algorithm` is what the provider signs by, `scopes` what idpyoidc knows beside what it must, `takes_posts`
    whether oidc-provider takes forms at its endpoints; settings of the gateway may be changed by name.
    """

    @asynccontextmanager
    async def make(
        algorithm: str = "RS256",
        *,
        provider: str = "oidc_provider",
        scopes: tuple[str, ...] = (),
        takes_posts: bool = False,
        **changed: str,
    ) -> AsyncIterator[InteropWorld]:
        ports = [free_port() for _ in range(3)]
        gateway_url, issuer = f"http://localhost:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
        api_url = f"http://127.0.0.1:{ports[2]}"
        settings = gateway_settings(
            **{
                "TENANT_SUBDOMAIN": "",
                "TENANT_ID": "",
                "AUTHORITY": issuer,
                "CA_BUNDLE": str(tls.authority),
                "CLIENT_ID": CLIENT,
                "CLIENT_SECRET": SECRET,
                "GRAPH_SCOPE": "profile.read",
                "EDIT_PROFILE_SCOPE": "profile.edit",
                "GRAPH_URL": f"{api_url}/v1.0",
                "RESOURCE_API_URL": api_url,
                "BACKCHANNEL_LOGOUT": "1",
                "PUBLIC_URL": gateway_url,
                "JOURNEYS_PER_MINUTE": "100000",
                "REDIS_URL": valkey,
                **changed,
            }
        )
        configuration = {
            "issuer": issuer,
            "port": ports[1],
            "key": str(tls.key),
            "certificate": str(tls.certificate),
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uri": f"{gateway_url}/auth/callback",
            "post_logout_redirect_uri": f"{gateway_url}/",
            "backchannel_logout_uri": f"{gateway_url}/auth/backchannel-logout",
            "access_token_seconds": TOKEN_SECONDS,
            "algorithm": algorithm,
            "scopes": scopes,
            "takes_posts": takes_posts,
        }
        trust = ssl.create_default_context(cafile=str(tls.authority))
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(gateway_url)])
        async with AsyncExitStack() as everything:
            enter = everything.enter_async_context
            session = await enter(
                aiohttp.ClientSession(cookie_jar=jar, connector=aiohttp.TCPConnector(ssl=trust))
            )

            async def keys() -> Any:
                async with session.get(f"{issuer}/jwks") as response:
                    return await response.json()

            api = ProfileApi(keys)
            script = [node, str(PROVIDERS / f"{provider}.mjs")]
            module = [sys.executable, "-m", f"{__package__}.providers.{provider}"]
            command = script if provider == "oidc_provider" else module
            await enter(running_provider(command, configuration))
            await enter(served(api.app(), ports[2]))
            await enter(served(create_app(settings, redis_limits=PATIENT), ports[0], "localhost"))
            yield InteropWorld(gateway_url, issuer, api, OtherFrontEnd(session, gateway_url, issuer))

    return make


@pytest.fixture
async def world(
    make_world: Callable[..., AbstractAsyncContextManager[InteropWorld]],
) -> AsyncIterator[InteropWorld]:
    """Give a world as configured."""
    async with make_world() as world:
        yield world
