"""MSAL behind its one door: a client per use, and nothing of one person for the next (C7)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from servicekit.client_credential import CertificateKey
from servicekit.entra import new_token_cache
from servicekit.errors import AuthorityUnavailable
from servicekit.token_threads import ON_BEHALF_OF
from tests.unit.servicekit.test_client_credential import KEY, certificate_pem, pem_of
from tests.unit.servicekit.token_endpoint import (
    SCOPE,
    TokenEndpoint,
    accounts,
    client_of,
    exchange,
    running_token_endpoint,
)


@pytest.fixture
async def endpoint() -> AsyncIterator[TokenEndpoint]:
    async with running_token_endpoint() as endpoint:
        yield endpoint


async def test_C7_nobody_is_given_anothers_token_or_failure(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [web.json_response({"error": "x"}, status=429, headers={"Retry-After": "600"})]
    with pytest.raises(AuthorityUnavailable):
        await exchange(entra, "ada")
    endpoint.clock.now += 60
    await exchange(entra, "the first one afterwards")

    answers = await asyncio.gather(*(exchange(entra, f"person {number}") for number in range(40)))

    assert [answer["access_token"] for answer in answers] == [f"for person {number}" for number in range(40)]
    assert endpoint.discoveries == 1


async def test_C7_a_refusal_is_not_replayed_either(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [
        web.json_response({"error": "invalid_grant", "suberror": "consent_required"}, status=400)
    ]

    assert (await exchange(entra, "ada"))["error"] == "invalid_grant"
    assert (await exchange(entra, "ada"))["access_token"] == "for ada"


async def test_a_certificate_signs_assertions_and_no_secret_is_sent(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint, CertificateKey(pem_of(KEY) + certificate_pem(KEY)))
    await exchange(entra, "ada")

    (form,) = endpoint.forms
    assert "client_secret" not in form
    assert form["client_assertion_type"].endswith("jwt-bearer")
    assert form["client_assertion"].count(".") == 2


async def test_a_cache_is_read_and_written_by_its_own_call_alone(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    cache = new_token_cache()
    await entra.call(lambda app: app.acquire_token_on_behalf_of("ada", SCOPE), cache, purpose=ON_BEHALF_OF)
    written = json.loads(cache.serialize())

    assert "for ada" in json.dumps(written)
    assert await entra.call(accounts, purpose=ON_BEHALF_OF) == []
    again = new_token_cache(cache.serialize())
    assert json.loads(again.serialize()) == written


async def test_R16_an_authority_that_is_away_is_an_outage_and_comes_back(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [web.Response(status=500, text="<html>"), web.Response(text="<html>")]
    for _ in range(2):
        with pytest.raises(AuthorityUnavailable):
            await exchange(entra, "ada")

    assert (await exchange(entra, "ada"))["access_token"] == "for ada"
