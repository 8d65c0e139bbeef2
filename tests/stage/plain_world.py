"""The gateway in front of `PlainProvider`, which stands for any OpenID provider that is not Entra."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from redis.asyncio import Redis

from gateway.app import create_app
from servicekit.audit.trail import Trail
from tests.stage.clock_of_redis import ClockOfRedis
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.plain_provider import CLIENT, ISSUER, SECRET, PlainProvider
from tests.stage.ports import free_port
from tests.stage.tenant import MovableClock
from tests.stage.world import PATIENT, gateway_settings, served


@dataclass
class PlainWorld:
    """One gateway, one provider, one person's browser."""

    gateway_url: str
    provider: PlainProvider
    person: OtherFrontEnd
    redis: "Redis"
    clock: MovableClock
    app: web.Application

    async def answered(self, path: str = "/auth/sign-in?return_to=/edit") -> dict[str, str]:
        """Go as far as the provider's answer, and return it without sending it."""
        redirect = await self.person.navigate(path)
        assert redirect.status == 303, redirect.text
        return self.provider.authorize(redirect.headers["Location"])

    async def sent(self, answer: dict[str, str]) -> str:
        """Send an authorization answer to the callback; return where it leads."""
        response = await self.person.navigate("/auth/callback", answer)
        assert response.status == 303, response.text
        return response.headers["Location"]

    async def sign_in(self) -> str:
        """Go the whole way; return where it leads."""
        return await self.sent(await self.answered())

    async def sign_out_here(self, logout_token: str) -> Answer:
        """Send a logout token as the provider does: from server to server, without cookies."""
        async with OtherFrontEnd.open(self.gateway_url, self.gateway_url) as server:
            return await server.navigate("/auth/backchannel-logout", {"logout_token": logout_token})

    async def is_signed_in(self) -> bool:
        """Ask the gateway."""
        return bool((await self.person.call("GET", "/api/session")).body["authenticated"])

    async def keys(self) -> list[str]:
        """Return every key in Redis that is about somebody; what is known of the authority is about nobody."""
        keys = [key.decode() async for key in self.redis.scan_iter()]
        return sorted(key for key in keys if not key.startswith("stepup:known-good:"))


@asynccontextmanager
async def plain_world(
    valkey: str, trail: Trail | None = None, /, **changed: str
) -> AsyncIterator[PlainWorld]:
    """Serve gateway and provider while the block runs; settings of the gateway may be changed by name.

    `trail` is where the audit trail goes.
    """
    ports = [free_port() for _ in range(2)]
    clock = MovableClock(time.time())
    provider = PlainProvider(clock)
    gateway_url, provider_url = f"http://localhost:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    settings = gateway_settings(
        **{
            "TENANT_SUBDOMAIN": "",
            "TENANT_ID": "",
            "AUTHORITY": ISSUER,
            "AUTHORITY_MAP": provider_url,
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET": SECRET,
            "EDIT_PROFILE_SCOPE": "profile.edit",
            "GRAPH_SCOPE": "profile.read",
            "RESOURCE_API_URL": provider_url,
            "PUBLIC_URL": gateway_url,
            "JOURNEYS_PER_MINUTE": "100000",
            "REDIS_URL": valkey,
            **changed,
        }
    )
    app = create_app(settings, now=clock, redis_clock=ClockOfRedis(clock), redis_limits=PATIENT, trail=trail)
    redis = Redis.from_url(valkey, socket_timeout=PATIENCE)
    async with (
        served(provider.app(), ports[1], service="provider"),
        served(app, ports[0], "localhost"),
        OtherFrontEnd.open(gateway_url, provider_url, app=app) as person,
    ):
        yield PlainWorld(gateway_url, provider, person, redis, clock, app)
    await redis.aclose()


def problem_of(location: str) -> str:
    """Return the slug that a problem page is about."""
    assert location.startswith("/problem?"), location
    (slug,) = parse_qs(urlsplit(location).query)["type"]
    return slug
