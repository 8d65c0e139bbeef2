"""Tokens that a certified provider signs by other families than RSA, and its access tokens by RFC 9068: W7, W9."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest

from resource_api.app import create_app
from tests.real.interop.conftest import API, CLIENT, SECRET, InteropWorld, Tls
from tests.stage.other_front_end import Answer
from tests.stage.ports import free_port
from tests.stage.world import served
from tests.unit.resource_api.stage import settings_for

Maker = Callable[..., AbstractAsyncContextManager[InteropWorld]]


async def read(world: InteropWorld) -> Answer:
    """Read the profile."""
    return await world.person.call("GET", "/api/profile")


def header_of(token: str) -> dict[str, str]:
    """Return what a token says of itself."""
    head = token.split(".", maxsplit=1)[0]
    members: dict[str, str] = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    return members


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
async def test_W7_a_provider_signs_by_another_family_and_people_sign_in_and_stay(
    make_world: Maker, algorithm: str
) -> None:
    async with make_world(algorithm) as world:
        assert await world.person.sign_in() == "/edit"
        for _ in range(2):
            await world.renewed(lambda: read(world))
        assert header_of(world.api.seen[-1])["alg"] == algorithm


async def test_W9_the_resource_api_reads_a_providers_access_token_by_rfc_9068(
    make_world: Maker, tls: Tls
) -> None:
    async with make_world("ES256") as world:
        await world.person.sign_in()
        await read(world)
        token = world.api.seen[-1]
        assert header_of(token)["typ"] == "at+jwt"
        whose = {
            "authority": world.issuer,
            "tenant_subdomain": "",
            "tenant_id": "",
            "ca_bundle": str(tls.authority),
        }
        us = {"client_id": CLIENT, "client_secret": SECRET, "audience": API}
        answers = {}
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as client:
            for scope, clients in (
                ("profile.read", CLIENT),
                ("profile.edit", CLIENT),
                ("profile.read", "other"),
            ):
                known = settings_for("", **whose, **us, scope=scope, allowed_clients=clients)
                port = free_port()
                async with (
                    served(create_app(known), port),
                    client.patch(f"http://127.0.0.1:{port}/profile", json={"city": "Turin"}) as got,
                ):
                    answers[scope, clients] = (got.status, (await got.json())["type"])

        # The token is believed, and what only Entra can is then said to be an administrator's fault.
        assert answers["profile.read", CLIENT] == (500, "/problems/misconfigured")
        assert answers["profile.edit", CLIENT] == (403, "/problems/insufficient-scope")
        assert answers["profile.read", "other"] == (401, "/problems/invalid-token")
