"""Clients that prove themselves with a certificate (RFC 7523), by MSAL and by hand."""

import asyncio
from typing import Any

import jwt
import msal
import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization

from local_tenant.signing import generate_key, thumbprint
from tests.stage.tenant import API, GRAPH, TENANT_ID, Answer, World, claims_of
from tests.unit.local_tenant.test_msal_accepts_it import AUTHORITY, Mapped

KEY = generate_key()
PEM = KEY.certificate.public_bytes(serialization.Encoding.PEM).decode()
PRIVATE_PEM = KEY.private.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
AUDIENCE = f"https://stepuplocal.ciamlogin.com/{TENANT_ID}/oauth2/v2.0/token"


async def register(world: World) -> None:
    answer = await world.ask("PUT", f"/admin/apps/{API}", json={"certificates": [PEM]})
    assert answer.status == 200


async def ask(world: World, changed: dict[str, Any] | None = None, key: Any = KEY.private) -> Answer:
    now = world.clock.now
    claims = {"iss": API, "sub": API, "aud": AUDIENCE, "jti": "1", "iat": now, "exp": now + 600.5}
    header = {"x5t": thumbprint(KEY.certificate, hashes.SHA1())}  # noqa: S303 - RFC 7515 4.1.7
    form = {
        "grant_type": "client_credentials",
        "client_id": API,
        "scope": f"{GRAPH}/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims | (changed or {}), key, "RS256", header),
    }
    return await world.token(form)


@pytest.mark.parametrize("with_certificate", [True, False])
async def test_msal_with_a_certificate_is_accepted(world: World, *, with_certificate: bool) -> None:
    await register(world)
    credential = {"private_key": PRIVATE_PEM, "thumbprint": KEY.certificate.fingerprint(hashes.SHA1()).hex()}  # noqa: S303 - MSAL's older form
    if with_certificate:
        credential = {"private_key": PRIVATE_PEM, "public_certificate": PEM}

    def ask_msal() -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://stepuplocal.ciamlogin.com", Mapped(world.url))
            application = msal.ConfidentialClientApplication(
                API, client_credential=credential, authority=AUTHORITY, http_client=session
            )
            result: dict[str, Any] = application.acquire_token_for_client([f"{GRAPH}/.default"])
            return result

    assert "access_token" in await asyncio.to_thread(ask_msal)


async def test_an_assertion_is_accepted_and_may_be_used_again_while_it_lives(world: World) -> None:
    await register(world)
    first = await ask(world)
    assert first.status == 200
    assert claims_of(first.body["access_token"])["azpacr"] == "2"
    assert (await ask(world)).status == 200


@pytest.mark.parametrize(
    "changed, number",
    [
        ({"exp": -1}, 700024),
        ({"nbf": 900}, 700024),
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700027),
        ({"iss": "another"}, 700027),
        ({"sub": "another"}, 700027),
    ],
)
async def test_a_wrong_assertion_is_refused(world: World, changed: dict[str, Any], number: int) -> None:
    await register(world)
    # Times count from when the test runs, which may be long after it was collected.
    moved = {
        name: world.clock() + value if isinstance(value, int) else value for name, value in changed.items()
    }

    refused = await ask(world, moved)

    assert (refused.status, refused.body["error"], refused.number) == (401, "invalid_client", number)


async def test_another_key_is_refused_even_under_the_right_thumbprint(world: World) -> None:
    await register(world)
    assert (await ask(world, key=generate_key().private)).number == 700027


async def test_an_unregistered_certificate_is_refused(world: World) -> None:
    assert (await ask(world)).number == 700027
