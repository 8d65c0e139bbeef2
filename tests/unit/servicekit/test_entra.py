"""MSAL behind its one door: a client per use, a bounded pool, and nothing of one person for the next (C7, R14)."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from servicekit.address_map import AddressMap
from servicekit.authority_transport import AuthorityTransport
from servicekit.client_credential import CertificateKey
from servicekit.discovery import Discovery
from servicekit.entra import (
    FAILURES,
    MOST_WAITING,
    OPEN_SECONDS,
    PLACE_SECONDS,
    THREADS,
    EntraClient,
    new_token_cache,
)
from servicekit.errors import AuthorityUnavailable
from servicekit.outbound import outbound
from tests.stage.patience import PATIENCE
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.servicekit.authority import Clock
from tests.unit.servicekit.listening import listening
from tests.unit.servicekit.test_client_credential import KEY, certificate_pem, pem_of

HOST = "contoso.ciamlogin.com"
ROOT = f"https://{HOST}/t"
METADATA = "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration"
SCOPE = ["https://graph.microsoft.com/User.ReadWrite"]


@dataclass
class TokenEndpoint:
    """Answers token requests from a script, then with tokens that name their assertion."""

    url: str = ""
    script: list[web.Response] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    discoveries: int = 0
    delay: float = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, nobody is answered."""
    clock: Clock = field(default_factory=lambda: Clock(0))
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def metadata(self, _request: web.Request) -> web.Response:
        self.discoveries += 1
        return web.json_response(
            {
                "issuer": ROOT,
                "authorization_endpoint": f"{ROOT}/authorize",
                "token_endpoint": f"{ROOT}/token",
                "jwks_uri": f"{ROOT}/keys",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        await self.answers.wait()
        await asyncio.sleep(self.delay)
        if self.script:
            return self.script.pop(0)
        body = {"access_token": f"for {form['assertion']}", "token_type": "Bearer", "expires_in": 3600}
        return web.json_response(body, headers={"Retry-After": "600"})


@pytest.fixture
async def endpoint() -> AsyncIterator[TokenEndpoint]:
    endpoint = TokenEndpoint()
    endpoint.answers.set()
    app = web.Application()
    app.router.add_get(METADATA, endpoint.metadata)
    app.router.add_post("/t/token", endpoint.token)
    async with listening(app) as endpoint.url, endpoint.opened:
        yield endpoint


async def client(
    endpoint: TokenEndpoint,
    credential: str | CertificateKey = "s3cret",
    *,
    seconds: float = 15,
    place_seconds: float = PLACE_SECONDS,
) -> EntraClient:
    addresses = AddressMap({HOST: endpoint.url})
    network = await endpoint.opened.enter_async_context(outbound(addresses, ONE_CERTIFICATE))
    entra = EntraClient(
        client_id="a7d1f3c2",
        credential=lambda: credential,
        transport=AuthorityTransport(address_map=addresses, timeouts=(seconds, seconds)),
        discovery=Discovery(network, url=f"https://{HOST}{METADATA}", issuer=ROOT),
        authority=f"https://{HOST}/",
        now=endpoint.clock,
        place_seconds=place_seconds,
    )
    endpoint.opened.callback(entra.close)
    return entra


async def exchange(entra: EntraClient, assertion: str) -> dict[str, Any]:
    answer: dict[str, Any] = await entra.call(lambda app: app.acquire_token_on_behalf_of(assertion, SCOPE))
    return answer


async def test_C7_nobody_is_given_anothers_token_or_failure(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    endpoint.script = [web.json_response({"error": "x"}, status=429, headers={"Retry-After": "600"})]
    with pytest.raises(AuthorityUnavailable):
        await exchange(entra, "ada")
    endpoint.clock.now += 60
    await exchange(entra, "the first one afterwards")

    answers = await asyncio.gather(*(exchange(entra, f"person {number}") for number in range(40)))

    assert [answer["access_token"] for answer in answers] == [f"for person {number}" for number in range(40)]
    assert endpoint.discoveries == 1


async def test_C7_a_refusal_is_not_replayed_either(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    endpoint.script = [
        web.json_response({"error": "invalid_grant", "suberror": "consent_required"}, status=400)
    ]

    assert (await exchange(entra, "ada"))["error"] == "invalid_grant"
    assert (await exchange(entra, "ada"))["access_token"] == "for ada"


async def test_a_certificate_signs_assertions_and_no_secret_is_sent(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint, CertificateKey(pem_of(KEY) + certificate_pem(KEY)))
    await exchange(entra, "ada")

    (form,) = endpoint.forms
    assert "client_secret" not in form
    assert form["client_assertion_type"].endswith("jwt-bearer")
    assert form["client_assertion"].count(".") == 2


async def test_a_cache_is_read_and_written_by_its_own_call_alone(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    cache = new_token_cache()
    await entra.call(lambda app: app.acquire_token_on_behalf_of("ada", SCOPE), cache)
    written = json.loads(cache.serialize())

    assert "for ada" in json.dumps(written)
    assert await entra.call(lambda app: app.get_accounts()) == []
    again = new_token_cache(cache.serialize())
    assert json.loads(again.serialize()) == written


async def test_R14_slow_calls_wait_in_their_own_pool_and_not_without_end(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    await exchange(entra, "warm")
    gate = threading.Event()
    waiting = [
        asyncio.ensure_future(entra.call(lambda _app: gate.wait(10))) for _ in range(THREADS + MOST_WAITING)
    ]
    await asyncio.sleep(0)  # each has a thread, or waits for one

    with pytest.raises(AuthorityUnavailable, match="too many"):
        await exchange(entra, "one too many")
    assert sum(thread.name.startswith("msal") for thread in threading.enumerate()) <= THREADS
    gate.set()
    assert all(await asyncio.gather(*waiting))
    assert (await exchange(entra, "after"))["access_token"] == "for after"


async def test_R16_an_authority_that_is_away_is_an_outage_and_comes_back(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    endpoint.script = [web.Response(status=500, text="<html>"), web.Response(text="<html>")]
    for _ in range(2):
        with pytest.raises(AuthorityUnavailable):
            await exchange(entra, "ada")

    assert (await exchange(entra, "ada"))["access_token"] == "for ada"


async def test_M7_R14_calls_that_are_stuck_hold_up_no_name_resolution(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    await exchange(entra, "warm")
    endpoint.answers.clear()
    stuck = [asyncio.ensure_future(exchange(entra, f"person {number}")) for number in range(THREADS + 8)]
    while len(endpoint.forms) <= THREADS:  # noqa: ASYNC110 - what is waited for happens in threads
        await asyncio.sleep(0.01)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(
            *(asyncio.get_running_loop().getaddrinfo("localhost", port) for port in range(1, 20))
        )
    assert not any(call.done() for call in stuck)
    endpoint.answers.set()
    await asyncio.gather(*stuck)


async def test_R14_after_some_failures_nobody_waits_until_one_call_succeeds(
    endpoint: TokenEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    entra = await client(endpoint, seconds=0.3)
    await exchange(entra, "warm")
    endpoint.delay = 9
    answers = await asyncio.gather(
        *(exchange(entra, f"person {number}") for number in range(60)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {AuthorityUnavailable}
    assert len(endpoint.forms) <= 1 + THREADS + FAILURES, "whoever waited was refused"
    assert "token-requests-paused" in caplog.text
    endpoint.delay, requests = 0, len(endpoint.forms)

    for offline in (False, True):
        refused = asyncio.ensure_future(entra.call(lambda app: app.get_accounts(), offline=offline))
        await asyncio.sleep(0)
        assert refused.done(), "it waited for something"
        with pytest.raises(AuthorityUnavailable) as caught:
            await refused
        assert caught.value.retry_after == OPEN_SECONDS
    assert len(endpoint.forms) == requests

    endpoint.clock.now += OPEN_SECONDS
    assert await entra.call(lambda app: app.get_accounts(), offline=True) == [], "proves nothing"
    endpoint.answers.clear()
    probe = asyncio.ensure_future(exchange(entra, "probe"))
    await asyncio.sleep(0)
    with pytest.raises(AuthorityUnavailable):
        await exchange(entra, "beside the probe")
    endpoint.answers.set()
    assert (await probe)["access_token"] == "for probe"
    assert (await exchange(entra, "after"))["access_token"] == "for after"


@pytest.mark.parametrize("asked, held", [(7, 7), (3600, 60)])
async def test_R15_what_the_authority_asks_for_is_kept_for_everybody(
    endpoint: TokenEndpoint, asked: int, held: int
) -> None:
    entra = await client(endpoint)
    endpoint.script = [web.json_response({}, status=429, headers={"Retry-After": str(asked)})]
    with pytest.raises(AuthorityUnavailable):
        await exchange(entra, "ada")

    endpoint.clock.now += held - 1
    with pytest.raises(AuthorityUnavailable) as caught:
        await exchange(entra, "grace")
    assert caught.value.retry_after == 1
    assert len(endpoint.forms) == 1
    endpoint.clock.now += 1
    assert (await exchange(entra, "grace"))["access_token"] == "for grace"


async def test_refusals_never_open_the_circuit(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint)
    endpoint.script = [web.json_response({"error": "invalid_grant"}, status=400) for _ in range(20)]

    for _ in range(20):
        assert (await exchange(entra, "ada"))["error"] == "invalid_grant"


async def test_R14_whoever_finds_no_thread_is_told_after_some_seconds(endpoint: TokenEndpoint) -> None:
    entra = await client(endpoint, place_seconds=PLACE_SECONDS / 20)
    await exchange(entra, "warm")
    gate = threading.Event()
    held = [asyncio.ensure_future(entra.call(lambda _app: gate.wait(20))) for _ in range(THREADS)]
    await asyncio.sleep(0)

    with pytest.raises(AuthorityUnavailable, match="all threads taken"):
        await exchange(entra, "waiting")
    impatient = asyncio.ensure_future(exchange(entra, "gone"))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    await asyncio.gather(*held)
    assert (await exchange(entra, "after"))["access_token"] == "for after"
