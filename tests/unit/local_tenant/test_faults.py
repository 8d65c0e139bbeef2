"""Faults on order, at every point and in every form."""

import asyncio
import base64
import contextlib
import time

import aiohttp
import pytest

from local_tenant.aadsts import CATALOGUE, At
from local_tenant.faults import POINTS
from tests.stage.tenant import (
    API,
    API_SECRET,
    GRAPH,
    TENANT_ID,
    Answer,
    World,
)

DISCOVERY = f"/{TENANT_ID}/v2.0/.well-known/openid-configuration"


ASKED_BY_GET = {
    "discovery": DISCOVERY,
    "keys": f"/{TENANT_ID}/discovery/v2.0/keys",
    "authorize": f"/{TENANT_ID}/oauth2/v2.0/authorize",
    "logout": f"/{TENANT_ID}/oauth2/v2.0/logout",
    "authority.other": "/nothing",
    "graph.userinfo": "/oidc/userinfo",
    "graph.other": "/v1.0/users",
}


async def order(world: World, point: str, **fault: object) -> Answer:
    answer = await world.ask("PUT", f"/admin/faults/{point}", json=fault)
    assert answer.status == 200, answer.body
    return answer


async def ask(world: World, point: str) -> Answer:
    """Ask something of a point, right or wrong."""
    if point in ASKED_BY_GET:
        return await world.ask("GET", ASKED_BY_GET[point])
    if point.startswith("graph."):
        return await world.me("token", point.removeprefix("graph.").removesuffix("_me").upper(), json={})
    if point == "token.on_behalf_of":
        return await world.on_behalf_of("assertion")
    return await world.token({"grant_type": point.partition(".")[2], "client_id": API})


@pytest.mark.parametrize("point", POINTS)
async def test_every_point_can_fail_as_json_html_nothing_or_a_cut_connection(
    world: World, point: str
) -> None:
    await order(world, point, status=503, retry_after=7, times=1)
    failed = await ask(world, point)
    assert (failed.status, failed.headers["Retry-After"]) == (503, "7")
    assert failed.headers["Content-Type"].startswith("application/json")
    await order(world, point, status=502, body="html", times=1)
    failed = await ask(world, point)
    assert failed.status == 502
    assert failed.headers["Content-Type"].startswith("text/html")
    await order(world, point, status=500, body="empty", times=1)
    assert (await ask(world, point)).body in ("", b"")
    await order(world, point, body="reset")  # without times: aiohttp's client tries a cut GET once more
    with pytest.raises(aiohttp.ClientError):
        await ask(world, point)
    entries = await world.ask("GET", "/admin/requests", params={"point": point})
    statuses = [entry["status"] for entry in entries.body]
    assert statuses[:4] == [503, 502, 500, 0]
    assert set(statuses[4:]) <= {0}


@pytest.mark.parametrize("number", CATALOGUE)
async def test_every_refusal_of_the_catalogue_can_be_produced_at_the_token_endpoint(
    world: World, number: int
) -> None:
    row = CATALOGUE[number]
    await order(world, "token.refresh_token", aadsts=number, claims='{"access_token":{}}')
    refused = await world.refresh("whatever")
    assert (refused.status, refused.number) == (row.status, number)
    assert refused.body["error"] == row.error
    assert refused.body.get("suberror") == row.suberror
    assert refused.body["claims"] == '{"access_token":{}}'
    assert "{" not in refused.body["error_description"]


@pytest.mark.parametrize("number", CATALOGUE)
async def test_every_refusal_of_the_catalogue_can_be_produced_at_authorize(world: World, number: int) -> None:
    row = CATALOGUE[number]
    await order(world, "authorize", aadsts=number, times=1)
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url(state="kept"))
    if row.at is At.PAGE:
        assert f"AADSTS{number}" in page.text
        assert page.forms == []
        page = await visitor.follow(page, "Go back to the application")
        assert page.answer["error"] == "access_denied"
    else:
        assert page.answer["error"] == (row.authorize_error or row.error)
    assert page.answer["error_description"].startswith(f"AADSTS{number}")
    assert page.answer["state"] == "kept"


async def test_a_refusal_at_sign_out_is_a_page(world: World) -> None:
    await order(world, "logout", aadsts=90033, times=1)
    page = await world.visitor().open(f"/{TENANT_ID}/oauth2/v2.0/logout")
    assert page.status == 503
    assert "AADSTS90033" in page.text
    assert (await world.ask("GET", "/admin/requests", params={"point": "logout"})).body[0]["status"] == 503


async def test_a_fault_strikes_as_often_as_it_was_told(world: World) -> None:
    await order(world, "discovery", status=500, times=2)
    assert [(await world.ask("GET", DISCOVERY)).status for _ in range(3)] == [500, 500, 200]


async def test_without_times_a_fault_stands_until_it_is_cleared(world: World) -> None:
    await order(world, "discovery", status=404)
    await order(world, "keys", status=404)
    assert set((await world.ask("GET", "/admin/faults")).body) == {"discovery", "keys"}
    assert (await world.ask("GET", DISCOVERY)).status == 404
    assert (await world.ask("DELETE", "/admin/faults/discovery")).status == 204
    assert (await world.ask("GET", DISCOVERY)).status == 200
    assert (await ask(world, "keys")).status == 404
    assert (await world.ask("DELETE", "/admin/faults")).status == 204
    assert (await ask(world, "keys")).status == 200


async def test_a_delay_comes_before_the_true_answer(world: World) -> None:
    await order(world, "keys", delay_ms=150, times=1)
    started = time.monotonic()
    assert (await ask(world, "keys")).status == 200
    assert time.monotonic() - started >= 0.15


@pytest.mark.parametrize("lost", [{"body": "reset"}, {"status": 504}, {"status": 200, "body": "empty"}])
async def test_the_work_may_be_done_and_only_its_answer_lost(world: World, lost: dict[str, object]) -> None:
    token = await world.graph_token()
    await order(world, "graph.patch_me", after=True, times=1, **lost)
    with contextlib.suppress(aiohttp.ClientError):
        assert (await world.me(token, "PATCH", json={"city": "Paris"})).status == lost["status"]
    assert (await world.ask("GET", "/admin/people/ada@example.com/profile")).body["city"] == "Paris"


async def test_L5_work_that_is_done_first_is_there_while_its_answer_is_delayed(world: World) -> None:
    token = await world.graph_token()
    await order(world, "graph.patch_me", after=True, delay_ms=60_000, times=1)

    writing = asyncio.create_task(world.me(token, "PATCH", json={"city": "Paris"}))
    while (await world.ask("GET", "/admin/people/ada@example.com/profile")).body["city"] != "Paris":
        assert not writing.done(), "nothing was written before the answer"

    assert not writing.done()
    writing.cancel()


async def test_a_rotated_refresh_token_may_be_lost_on_its_way(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"rotate_refresh_tokens": True})
    token = (await world.signed_in()).body["refresh_token"]
    await order(world, "token.refresh_token", after=True, status=503, times=1)
    assert (await world.refresh(token)).status == 503
    assert (await world.refresh(token)).number == 50173


async def test_a_good_answer_may_carry_retry_after(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    await order(world, "token.authorization_code", status=200, retry_after=60)
    answer = await world.redeem(page)
    assert (answer.status, answer.headers["Retry-After"]) == (200, "60")
    assert answer.body["access_token"]


async def test_throttling_comes_with_and_without_retry_after(world: World) -> None:
    await order(world, "token.refresh_token", aadsts=90055, times=1)
    plain = await world.refresh("x")
    assert (plain.status, plain.body["error"]) == (429, "temporarily_unavailable")
    assert "Retry-After" not in plain.headers
    await order(world, "token.refresh_token", status=429, retry_after=0, times=1)
    assert (await world.refresh("x")).headers["Retry-After"] == "0"
    await order(world, "graph.get_me", status=429, retry_after=3)
    throttled = await world.me("x")
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "3")
    assert throttled.body["error"]["code"] == "TooManyRequests"
    assert throttled.headers["x-ms-throttle-scope"]


@pytest.mark.parametrize(
    "status, code",
    [
        (400, "Request_BadRequest"),
        (401, "InvalidAuthenticationToken"),
        (403, "Authorization_RequestDenied"),
        (404, "Request_ResourceNotFound"),
        (409, "Directory_ConcurrencyViolation"),
        (429, "TooManyRequests"),
        (500, "UnknownError"),
        (503, "serviceNotAvailable"),
    ],
)
async def test_graph_fails_with_its_own_codes_and_nothing_is_written(
    world: World, status: int, code: str
) -> None:
    token = await world.graph_token()
    await order(world, "graph.patch_me", status=status)
    failed = await world.me(token, "PATCH", json={"city": "Paris"})
    assert (failed.status, failed.body["error"]["code"]) == (status, code)
    assert set(failed.body["error"]["innerError"]) == {"date", "request-id", "client-request-id"}
    assert (await world.ask("GET", "/admin/people/ada@example.com/profile")).body["city"] == "London"


async def test_a_fault_of_one_grant_leaves_the_others_alone(world: World) -> None:
    await order(world, "token.on_behalf_of", status=503)
    tokens = await world.stepped_up()
    assert (await world.on_behalf_of(tokens.body["access_token"])).status == 503
    assert (await world.refresh(tokens.body["refresh_token"])).status == 200
    form = {"grant_type": "client_credentials", "client_id": API, "client_secret": API_SECRET}
    assert (await world.token({**form, "scope": f"{GRAPH}/.default"})).status == 200


@pytest.mark.parametrize(
    "point, fault, status",
    [
        ("nowhere", {"status": 500}, 404),
        ("keys", {"status": 99}, 400),
        ("keys", {"aadsts": 1}, 400),
        ("keys", {"body": "xml"}, 400),
        ("keys", {"speed": "slow"}, 400),
        ("graph.get_me", {"aadsts": 50076}, 400),
        ("token.refresh_token", {"claims": "{}"}, 400),
    ],
)
async def test_an_impossible_fault_is_refused_in_words(
    world: World, point: str, fault: dict[str, object], status: int
) -> None:
    answer = await world.ask("PUT", f"/admin/faults/{point}", json=fault)
    assert answer.status == status
    assert answer.body["error"]


async def test_graph_may_send_a_claims_challenge(world: World) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    await order(world, "graph.get_me", status=401, claims=claims)
    refused = await world.me((await world.signed_in()).body["access_token"])
    challenge = refused.headers["WWW-Authenticate"]
    assert refused.status == 401
    assert f'error="insufficient_claims", claims="{base64.b64encode(claims.encode()).decode()}"' in challenge
