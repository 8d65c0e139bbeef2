"""MSAL behind its one door: a client per use, and nothing of one person for the next (C7)."""

import asyncio
import gc
import importlib.abc
import json
import sys
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from servicekit.client_credential import CertificateKey
from servicekit.entra import new_token_cache
from servicekit.errors import AuthorityUnavailable
from servicekit.token_threads import ON_BEHALF_OF, SIGN_IN
from tests.stage.patience import PATIENCE
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
    cache = await new_token_cache()
    await entra.call(lambda app: app.acquire_token_on_behalf_of("ada", SCOPE), cache, purpose=ON_BEHALF_OF)
    written = json.loads(cache.serialize())

    assert "for ada" in json.dumps(written)
    assert await entra.call(accounts, purpose=ON_BEHALF_OF) == []
    again = await new_token_cache(cache.serialize())
    assert json.loads(again.serialize()) == written
    assert "\n" not in cache.serialize(), "lines are for people, and take an encoder in Python"


async def test_R16_an_authority_that_is_away_is_an_outage_and_comes_back(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [web.Response(status=500, text="<html>"), web.Response(text="<html>")]
    for _ in range(2):
        with pytest.raises(AuthorityUnavailable):
            await exchange(entra, "ada")

    assert (await exchange(entra, "ada"))["access_token"] == "for ada"


async def test_L6_a_client_is_built_without_looking_for_files(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    await exchange(entra, "the first, who imports MSAL and what it needs")
    looked_for: list[str] = []

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, *_where: object) -> None:
            looked_for.append(fullname)

    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        await exchange(entra, "ada")
    finally:
        sys.meta_path.remove(finder)

    assert looked_for == []


async def test_C7_who_prepares_flows_is_made_once_and_gives_nobody_anything_of_anybody_else(
    endpoint: TokenEndpoint,
) -> None:
    entra = await client_of(endpoint)
    clients, flows = [], []

    def begin(client: Any) -> None:
        clients.append(client)
        flows.append(
            client.initiate_auth_code_flow(
                SCOPE, redirect_uri="https://us.example", response_mode="form_post"
            )
        )

    for _ in range(3):
        await entra.prepare(begin)
        await exchange(entra, "somebody", SIGN_IN)

    assert len({id(client) for client in clients}) == 1
    for secret in ("state", "nonce", "code_verifier", "auth_uri"):
        assert len({flow[secret] for flow in flows}) == len(flows), secret
    assert clients[0].client_credential is None
    assert clients[0].get_accounts() == []


async def test_C7_who_prepares_flows_has_no_way_to_the_authority(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)

    with pytest.raises(AttributeError, match="post"):
        await entra.prepare(lambda client: client.acquire_token_by_refresh_token("ada's", SCOPE))

    assert endpoint.forms == []


async def test_new_metadata_make_another_one_who_prepares_flows(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    before = await entra.prepare(lambda client: client)
    assert await entra.prepare(lambda client: client) is before

    endpoint.authorization_path = "/elsewhere"
    endpoint.clock.now += 10 * 86_400
    after = await entra.prepare(lambda client: client)

    assert after is not before
    assert after.authority.authorization_endpoint.endswith("/elsewhere")


async def test_what_msal_made_for_one_use_is_gone_with_it_and_waits_for_no_look_for_garbage(
    endpoint: TokenEndpoint,
) -> None:
    entra, made = await client_of(endpoint), list[weakref.ref[Any]]()
    cache = await new_token_cache()
    made.append(weakref.ref(cache))

    def work(client: Any) -> dict[str, Any]:
        made.extend(map(weakref.ref, (client, client.http_client, client.client)))
        answer: dict[str, Any] = client.acquire_token_on_behalf_of("ada", SCOPE)
        return answer

    gc.collect()
    gc.disable()
    try:
        answer = await entra.call(work, cache, purpose=ON_BEHALF_OF)
        kept = cache.serialize()
        del cache
        # The thread lets go of its call a moment after it was answered.
        async with asyncio.timeout(PATIENCE):
            while any(ref() is not None for ref in made):  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
    finally:
        gc.enable()

    assert answer["access_token"] in kept


async def test_what_a_client_raised_is_told_as_it_is_when_the_client_is_gone(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)

    def work(client: Any) -> None:
        raise ZeroDivisionError(client.client_id)

    with pytest.raises(ZeroDivisionError):
        await entra.call(work, purpose=ON_BEHALF_OF)


async def test_caches_share_no_token(endpoint: TokenEndpoint) -> None:
    one, other = await new_token_cache(), await new_token_cache()
    entra = await client_of(endpoint)
    await entra.call(
        lambda client: client.acquire_token_on_behalf_of("ada", SCOPE), one, purpose=ON_BEHALF_OF
    )

    assert len(json.loads(one.serialize())["AccessToken"]) == 1
    assert json.loads(other.serialize()) == {}
