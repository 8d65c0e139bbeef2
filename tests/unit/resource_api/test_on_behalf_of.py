"""Tokens for Graph: whose they are, how often they are asked for, and what a refused exchange means (E24)."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from local_tenant.signing import SigningKey
from resource_api.access_tokens import Caller
from resource_api.on_behalf_of import GraphTokens
from resource_api.patience import Patience
from servicekit.address_map import AddressMap
from servicekit.authority_transport import AuthorityTransport
from servicekit.discovery import Discovery
from servicekit.entra import EntraClient
from servicekit.errors import AuthorityUnavailable
from servicekit.outbound import outbound
from tests.stage.tenant import API, API_SECRET, GATEWAY, claims_of
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.resource_api.graph_double import Act, graph_double
from tests.unit.resource_api.stage import SCOPE, Stage, listening, running_api

CHANGE = {"city": "Turin"}
LOOK_AT = {
    65001: "administrator's consent",
    7000215: "RESOURCE_API_CLIENT_SECRET",
    7000222: "RESOURCE_API_CLIENT_SECRET",
    700016: "RESOURCE_API_CLIENT_ID",
    70011: "exposed scope",
    500011: "exposed scope",
}
CLAIMS = {"access_token": {"capolids": {"essential": True, "values": ["a-policy"]}}}


async def exchanges(stage: Stage) -> int:
    return len(await stage.asked("token.on_behalf_of"))


async def test_E24_one_exchange_serves_an_assertion_however_often_it_comes(stage: Stage) -> None:
    await stage.token()
    answers = await asyncio.gather(*(stage.patch({"city": f"City {number}"}) for number in range(10)))

    assert {answer.status for answer in answers} == {200}
    assert await exchanges(stage) == 1
    assert (await stage.patch(CHANGE)).status == 200
    assert await exchanges(stage) == 1


async def test_S36_another_assertion_of_the_same_person_is_exchanged_anew(stage: Stage) -> None:
    await stage.patch(CHANGE)
    stage.tokens.clear()
    await stage.patch(CHANGE)

    assert await exchanges(stage) == 2


async def test_S36_people_never_mix(stage: Stage) -> None:
    people = ["ada@example.com", "grace@example.com"]
    tokens = {email: await stage.token(email) for email in people}

    async def edit(number: int) -> None:
        email = people[number % 2]
        answer = await stage.patch({"jobTitle": f"{email} {number}"}, tokens[email])
        assert answer.status == 200
        assert answer.body["givenName"] == email.partition("@")[0].title()
        assert answer.body["jobTitle"] == f"{email} {number}"

    await asyncio.gather(*(edit(number) for number in range(40)))
    assert await exchanges(stage) == 2
    for email in people:
        assert (await stage.held(email))["jobTitle"].startswith(email)


async def test_an_expired_assertion_opens_nothing_although_its_graph_token_is_known(stage: Stage) -> None:
    assert (await stage.patch(CHANGE)).status == 200
    stage.clock.now += 2 * 3600

    answer = await stage.patch({"city": "Genoa"})

    assert (answer.status, answer.slug) == (401, "invalid-token")
    assert (await stage.held())["city"] == "Turin"


async def test_W1_a_short_lived_graph_token_is_kept_for_its_own_life(stage: Stage) -> None:
    await stage.token()
    await stage.world.ask("PUT", "/admin/settings", json={"access_token_seconds": 60})

    for _ in range(2):
        await stage.patch(CHANGE)
    assert await exchanges(stage) == 1


async def test_a_graph_token_that_graph_refuses_is_dropped_and_fetched_once_more(stage: Stage) -> None:
    await stage.patch(CHANGE)
    await stage.fault("graph.get_me", status=401, times=1)

    assert (await stage.patch({"city": "Genoa"})).status == 200
    assert await exchanges(stage) == 2


async def test_a_graph_that_refuses_every_token_is_a_fault_for_the_operator(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.token()
    await stage.fault("graph.get_me", status=401)

    answer = await stage.patch(CHANGE)

    assert (answer.status, answer.slug) == (502, "resource-unavailable")
    assert await exchanges(stage) == 2
    assert "graph-refuses-our-tokens" in caplog.text


# --- what refusals mean ------------------------------------------------------------------------


@pytest.mark.parametrize("number", [50076, 50079])
async def test_A11_E10_a_claims_challenge_is_relayed_in_entras_form(stage: Stage, number: int) -> None:
    await stage.token()
    await stage.fault("token.on_behalf_of", aadsts=number, claims=json.dumps(CLAIMS))

    answer = await stage.patch(CHANGE)

    assert (answer.status, answer.slug) == (401, "insufficient-claims")
    (header,) = answer.headers.getall("WWW-Authenticate")
    assert header.startswith('Bearer realm="", authorization_uri="http')
    challenge = answer.challenge
    assert (challenge.error, challenge.client_id) == ("insufficient_claims", API)
    assert json.loads(challenge.claims or "") == CLAIMS
    assert "AADSTS" not in answer.text + header
    assert await stage.asked("graph.patch_me") == []


async def test_A11_the_policy_of_the_api_itself_does_not_stop_an_exchange(stage: Stage) -> None:
    assert (await stage.patch(CHANGE)).status == 200


@pytest.mark.parametrize(
    "number, status, slug",
    [
        (500133, 401, "invalid-token"),
        (50013, 401, "invalid-token"),
        (500131, 401, "invalid-token"),
        (50173, 401, "invalid-token"),
        (53003, 403, "access-blocked"),
        (65001, 500, "misconfigured"),
        (7000215, 500, "misconfigured"),
        (7000222, 500, "misconfigured"),
        (700016, 500, "misconfigured"),
        (70011, 500, "misconfigured"),
        (500011, 500, "misconfigured"),
    ],
)
async def test_E24_each_refusal_has_one_meaning(
    stage: Stage, caplog: pytest.LogCaptureFixture, number: int, status: int, slug: str
) -> None:
    await stage.token()
    await stage.fault("token.on_behalf_of", aadsts=number)

    answer = await stage.patch(CHANGE)

    assert (answer.status, answer.slug) == (status, slug)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert "AADSTS" not in answer.text
    assert "Trace" not in answer.text
    events = [record for record in caplog.records if record.message == "on-behalf-of-misconfigured"]
    assert bool(events) == (status == 500)
    for event in events:
        fields = event.__dict__["event_fields"]
        assert f"AADSTS{number}" in fields["refusal"]
        assert LOOK_AT[number] in fields["look_at"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 7},
        {"status": 503, "retry_after": 7},
        {"status": 500},
        {"status": 502, "body": "html"},
        {"body": "reset"},
        {"status": 200, "body": "html"},
        {"status": 200, "body": "empty"},
    ],
    ids=str,
)
async def test_R15_an_authority_in_trouble_is_503_and_comes_back_by_itself(
    stage: Stage, fault: dict[str, object]
) -> None:
    token = await stage.token()
    await stage.fault("token.on_behalf_of", **fault)

    answer = await stage.patch(CHANGE)
    assert (answer.status, answer.slug) == (503, "authority-unavailable")
    assert answer.headers["Retry-After"] == str(fault.get("retry_after", 5))

    await stage.world.ask("DELETE", "/admin/faults")
    stage.clock.now += 7
    assert (await stage.patch(CHANGE, token)).status == 200


async def test_R15_an_answer_that_msal_stumbles_over_is_an_authority_in_trouble() -> None:
    id_tokens: list[object] = [None, "garbage", "a.b.c", 7, ["a"]]
    host, issuer = "login.example.com", "https://login.example.com/t"
    tokens = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
    }

    async def metadata(_request: web.Request) -> web.Response:
        return web.json_response(tokens)

    async def token(_request: web.Request) -> web.Response:
        good = {"token_type": "Bearer", "access_token": "t", "expires_in": 3600}
        return web.json_response({**good, "id_token": id_tokens.pop()})

    app = web.Application()
    app.router.add_get("/metadata", metadata)
    app.router.add_post("/t/token", token)
    async with listening(app) as url, outbound(AddressMap({host: url}), ONE_CERTIFICATE) as network:
        entra = EntraClient(
            client_id=API,
            credential=lambda: "secret",
            transport=AuthorityTransport(network),
            discovery=Discovery(network, url=f"{url}/metadata", issuer=issuer),
            oidc_authority=issuer,
        )
        caller = Caller("an-oid", GATEWAY, int(time.time()) + 3600, "a.b.c")
        while id_tokens[1:]:
            with pytest.raises(AuthorityUnavailable, match="MSAL raised"):
                await GraphTokens(entra).token(caller)
        assert await GraphTokens(entra).token(caller) == "t", "null is no ID token, and none is needed"
        entra.close()


async def test_C7_one_persons_failure_is_not_replayed_to_the_next(stage: Stage) -> None:
    ada, grace = await stage.token(), await stage.token("grace@example.com")
    await stage.fault("token.on_behalf_of", status=500, times=1)

    assert (await stage.patch(CHANGE, ada)).status == 503
    assert (await stage.patch(CHANGE, grace)).status == 200
    assert (await stage.patch(CHANGE, ada)).status == 200


async def test_R14_a_slow_authority_does_not_hold_a_request_for_ever(
    signing_keys: Callable[[], SigningKey],
) -> None:
    async with running_api(signing_keys, patience=Patience(whole=0.5)) as stage:
        await stage.token()
        await stage.fault("token.on_behalf_of", delay_ms=5000)

        start = time.perf_counter()
        answer = await stage.patch(CHANGE)
        assert (answer.status, answer.slug) == (503, "authority-unavailable")
        assert time.perf_counter() - start < 4


async def test_R22_a_secret_that_changes_in_its_file_needs_no_restart(
    signing_keys: Callable[[], SigningKey], tmp_path: Path
) -> None:
    file = tmp_path / "client-secret"
    file.write_text("one-that-has-expired\n")
    async with running_api(signing_keys, client_secret="", client_secret_file=str(file)) as stage:
        assert (await stage.patch(CHANGE)).slug == "misconfigured"
        file.write_text(f"{API_SECRET}\n")
        assert (await stage.patch(CHANGE)).status == 200

        file.write_text("")  # half written
        stage.tokens.clear()
        assert (await stage.patch({"city": "Genoa"})).status == 200
        assert await exchanges(stage) == 3


async def test_A11_graphs_own_claims_challenge_is_relayed(signing_keys: Callable[[], SigningKey]) -> None:
    encoded = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ"  # without padding
    header = f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'
    async with graph_double() as double, running_api(signing_keys, graph=double.url) as stage:
        double.profile["id"] = claims_of(await stage.token())["oid"]
        for status in (401, 403):
            double.patches = [Act(status=status, applies=False, headers={"WWW-Authenticate": header})]
            answer = await stage.patch(CHANGE)

            assert (answer.status, answer.slug) == (401, "insufficient-claims")
            assert json.loads(answer.challenge.claims or "") == {"access_token": {"nbf": {"essential": True}}}
            assert answer.challenge.client_id == API


async def test_S37_the_exchange_asks_for_one_permission_and_for_nothing_that_lasts(stage: Stage) -> None:
    await stage.patch(CHANGE)

    (entry,) = await stage.asked("token.on_behalf_of")
    assert "https://graph.microsoft.com/User.ReadWrite" in json.dumps(entry)
    assert "offline_access" not in json.dumps(entry)
    assert SCOPE not in json.dumps(entry)
