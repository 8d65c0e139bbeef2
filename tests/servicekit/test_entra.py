"""MSAL behind its one door: a client per use, a bounded pool, and nothing of one person for the next (C7, R14)."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.authority_transport import AuthorityTransport, AuthorityUnavailable
from servicekit.client_credential import CertificateKey
from servicekit.entra import MOST_WAITING, THREADS, EntraClient, new_token_cache
from tests.servicekit.listening import listening
from tests.servicekit.test_client_credential import KEY, certificate_pem, pem_of

HOST = "contoso.ciamlogin.com"
SCOPE = ["https://graph.microsoft.com/User.ReadWrite"]


@dataclass
class TokenEndpoint:
    """Answers token requests from a script, then with tokens that name their assertion."""

    url: str = ""
    script: list[web.Response] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    discoveries: int = 0

    async def metadata(self, _request: web.Request) -> web.Response:
        self.discoveries += 1
        root = f"https://{HOST}/t"
        return web.json_response(
            {"issuer": root, "authorization_endpoint": f"{root}/authorize", "token_endpoint": f"{root}/token"}
        )

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if self.script:
            return self.script.pop(0)
        body = {"access_token": f"for {form['assertion']}", "token_type": "Bearer", "expires_in": 3600}
        return web.json_response(body, headers={"Retry-After": "600"})


@pytest.fixture
async def endpoint() -> AsyncIterator[TokenEndpoint]:
    endpoint = TokenEndpoint()
    app = web.Application()
    app.router.add_get("/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration", endpoint.metadata)
    app.router.add_post("/t/token", endpoint.token)
    async with listening(app) as endpoint.url:
        yield endpoint


def client(endpoint: TokenEndpoint, credential: str | CertificateKey = "s3cret") -> EntraClient:
    transport = AuthorityTransport(address_map=AddressMap({HOST: endpoint.url}), timeouts=(5, 5))
    return EntraClient(
        client_id="a7d1f3c2", credential=lambda: credential, transport=transport, authority=f"https://{HOST}/"
    )


async def exchange(entra: EntraClient, assertion: str) -> dict[str, Any]:
    answer: dict[str, Any] = await entra.call(lambda app: app.acquire_token_on_behalf_of(assertion, SCOPE))
    return answer


async def test_C7_nobody_is_given_anothers_token_or_failure(endpoint: TokenEndpoint) -> None:
    entra = client(endpoint)
    endpoint.script = [web.json_response({"error": "x"}, status=429, headers={"Retry-After": "600"})]
    with pytest.raises(AuthorityUnavailable):
        await exchange(entra, "ada")

    told = await asyncio.gather(*(exchange(entra, f"person {number}") for number in range(40)))

    assert [answer["access_token"] for answer in told] == [f"for person {number}" for number in range(40)]
    assert endpoint.discoveries == 1
    entra.close()


async def test_C7_a_refusal_is_not_replayed_either(endpoint: TokenEndpoint) -> None:
    entra = client(endpoint)
    endpoint.script = [
        web.json_response({"error": "invalid_grant", "suberror": "consent_required"}, status=400)
    ]

    assert (await exchange(entra, "ada"))["error"] == "invalid_grant"
    assert (await exchange(entra, "ada"))["access_token"] == "for ada"
    entra.close()


async def test_a_certificate_signs_assertions_and_no_secret_is_sent(endpoint: TokenEndpoint) -> None:
    entra = client(endpoint, CertificateKey(pem_of(KEY) + certificate_pem(KEY)))
    await exchange(entra, "ada")

    (form,) = endpoint.forms
    assert "client_secret" not in form
    assert form["client_assertion_type"].endswith("jwt-bearer")
    assert form["client_assertion"].count(".") == 2
    entra.close()


async def test_a_cache_is_read_and_written_by_its_own_call_alone(endpoint: TokenEndpoint) -> None:
    entra = client(endpoint)
    cache = new_token_cache()
    await entra.call(lambda app: app.acquire_token_on_behalf_of("ada", SCOPE), cache)
    written = json.loads(cache.serialize())

    assert "for ada" in json.dumps(written)
    assert await entra.call(lambda app: app.get_accounts()) == []
    again = new_token_cache(cache.serialize())
    assert json.loads(again.serialize()) == written
    entra.close()


async def test_R14_slow_calls_wait_in_their_own_pool_and_not_without_end(endpoint: TokenEndpoint) -> None:
    entra = client(endpoint)
    await exchange(entra, "warm")
    gate = threading.Event()
    waiting = [asyncio.ensure_future(entra.call(lambda _app: gate.wait(10))) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0.05)

    with pytest.raises(AuthorityUnavailable, match="too many"):
        await exchange(entra, "one too many")
    assert sum(thread.name.startswith("msal") for thread in threading.enumerate()) <= THREADS
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "the default pool is free"), 1)
    gate.set()
    assert all(await asyncio.gather(*waiting))
    assert (await exchange(entra, "after"))["access_token"] == "for after"
    entra.close()


async def test_R16_an_authority_that_is_away_is_an_outage_and_comes_back(endpoint: TokenEndpoint) -> None:
    entra = client(endpoint)
    endpoint.script = [web.Response(status=500, text="<html>"), web.Response(text="<html>")]
    for _ in range(2):
        with pytest.raises(AuthorityUnavailable):
            await exchange(entra, "ada")

    assert (await exchange(entra, "ada"))["access_token"] == "for ada"
    entra.close()
