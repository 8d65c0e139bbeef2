"""Clients without a secret: single-page applications in a browser, and programs on a desk (row T8)."""

import pytest

from tests.stage.tenant import (
    API,
    CALLBACK,
    GATEWAY,
    GATEWAY_SECRET,
    GRAPH,
    SIGN_IN_SCOPE,
    TENANT_ID,
    VERIFIER,
    Answer,
    World,
    claims_of,
)

SPA = "http://localhost:5173/"
NATIVE = "http://localhost/desk"
ORIGIN = {"Origin": "http://localhost:5173"}
TOKEN = f"/{TENANT_ID}/oauth2/v2.0/token"


@pytest.fixture(autouse=True)
async def registered(world: World) -> None:
    """Register the gateway's application for both other platforms as well."""
    addresses = {"spa_redirect_uris": [SPA], "native_redirect_uris": [NATIVE]}
    assert (await world.ask("PUT", f"/admin/apps/{GATEWAY}", json=addresses)).status == 200


async def code_for(world: World, redirect_uri: str, **more: str) -> dict[str, str]:
    """Sign in, and return what redeems the code."""
    url = world.authorize_url(redirect_uri=redirect_uri, response_mode="query", **more)
    page = await world.visitor().sign_in(url)
    form = {"grant_type": "authorization_code", "client_id": GATEWAY, "redirect_uri": redirect_uri}
    return {**form, "code": page.answer["code"], "code_verifier": VERIFIER, "scope": SIGN_IN_SCOPE}


def readable(answer: Answer) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


async def test_T8_a_page_redeems_its_code_and_refreshes_without_a_secret(world: World) -> None:
    tokens = await world.token(await code_for(world, SPA), ORIGIN)
    assert (tokens.status, readable(tokens)) == (200, ORIGIN["Origin"])
    assert tokens.headers["Vary"] == "Origin"
    refresh = {"grant_type": "refresh_token", "client_id": GATEWAY}
    refresh["refresh_token"] = tokens.body["refresh_token"]
    fresh = await world.token(refresh, ORIGIN)
    assert (fresh.status, readable(fresh)) == (200, ORIGIN["Origin"])
    read = await world.me(fresh.body["access_token"], headers=ORIGIN)
    assert (read.status, readable(read)) == (200, "*")


async def test_T8_a_public_clients_token_says_that_nothing_proved_the_client(world: World) -> None:
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": False})
    scope = f"openid {API}/EditProfileService.ReadWrite"
    form = {**await code_for(world, SPA, scope=scope), "scope": scope}
    token = (await world.token(form, ORIGIN)).body["access_token"]
    assert claims_of(token)["azpacr"] == "0"


async def test_T8_a_code_of_a_page_is_for_pages_of_its_application_alone(world: World) -> None:
    form = await code_for(world, SPA)
    from_nowhere = await world.token(form)
    assert (from_nowhere.number, from_nowhere.body["error"]) == (9002327, "invalid_request")
    elsewhere = await world.token(form, {"Origin": "https://evil.example"})
    assert (elsewhere.number, readable(elsewhere)) == (9002326, None)
    proven = await world.token({**form, "client_secret": GATEWAY_SECRET}, ORIGIN)
    assert (proven.number, readable(proven)) == (700025, ORIGIN["Origin"])
    assert (await world.token(form, ORIGIN)).status == 200


async def test_T8_a_page_needs_pkce(world: World) -> None:
    form = await code_for(world, SPA, code_challenge="", code_challenge_method="")
    assert (await world.token({**form, "code_verifier": ""}, ORIGIN)).number == 9002325


async def test_T8_a_web_applications_code_and_refresh_token_are_nothing_to_a_page(world: World) -> None:
    form = await code_for(world, CALLBACK)
    refused = await world.token({**form, "client_secret": GATEWAY_SECRET}, ORIGIN)
    assert refused.number == 9002326
    assert (await world.token(form)).number == 7000218
    tokens = await world.token({**form, "client_secret": GATEWAY_SECRET})
    refresh = {"grant_type": "refresh_token", "client_id": GATEWAY, "scope": "User.Read"}
    refresh["refresh_token"] = tokens.body["refresh_token"]
    assert (await world.token(refresh)).number == 7000218
    assert (await world.token(refresh, ORIGIN)).number == 9002326


async def test_T8_a_pages_refresh_tokens_end_together_a_day_after_the_sign_in(world: World) -> None:
    tokens = await world.token(await code_for(world, SPA), ORIGIN)
    refresh = {"grant_type": "refresh_token", "client_id": GATEWAY}
    for _ in range(2):
        world.clock.now += 11 * 3600
        tokens = await world.token({**refresh, "refresh_token": tokens.body["refresh_token"]}, ORIGIN)
        assert tokens.status == 200
    world.clock.now += 2 * 3600 + 1
    refused = await world.token({**refresh, "refresh_token": tokens.body["refresh_token"]}, ORIGIN)
    assert (refused.number, refused.body["error"]) == (700084, "invalid_grant")


async def test_T8_a_program_on_a_desk_needs_neither_secret_nor_page(world: World) -> None:
    form = await code_for(world, NATIVE.replace("localhost", "localhost:51234"))
    assert (await world.token(form, ORIGIN)).number == 9002326
    assert (await world.token({**form, "client_secret": GATEWAY_SECRET})).number == 700025
    tokens = await world.token(form)
    refresh = {"grant_type": "refresh_token", "client_id": GATEWAY}
    refresh["refresh_token"] = tokens.body["refresh_token"]
    assert (await world.token(refresh)).status == 200
    world.clock.now += 30 * 24 * 3600
    assert (await world.token(refresh)).status == 200


async def test_T8_without_a_credential_there_are_no_tokens_of_an_application_or_on_behalf(
    world: World,
) -> None:
    await world.ask("PUT", f"/admin/apps/{API}", json={"native_redirect_uris": [NATIVE]})
    credentials = {"grant_type": "client_credentials", "client_id": API, "scope": f"{GRAPH}/.default"}
    assert (await world.token(credentials)).number == 7000218
    assertion = (await world.stepped_up()).body["access_token"]
    assert (await world.on_behalf_of(assertion, client_secret="")).number == 7000218


@pytest.mark.parametrize(
    "path, methods, allowed",
    [
        (TOKEN, "POST", ORIGIN["Origin"]),
        (f"/{TENANT_ID}/v2.0/.well-known/openid-configuration", "GET", "*"),
        (f"/{TENANT_ID}/discovery/v2.0/keys", "GET", "*"),
    ],
)
async def test_T8_a_browser_may_ask_whether_a_page_may_ask(
    world: World, path: str, methods: str, allowed: str
) -> None:
    asked = {"Access-Control-Request-Method": methods, "Access-Control-Request-Headers": "x-client-sku"}
    answer = await world.ask("OPTIONS", path, headers={**ORIGIN, **asked})
    assert (answer.status, readable(answer)) == (200, allowed)
    assert answer.headers["Access-Control-Allow-Headers"] == "x-client-sku"
    assert methods in answer.headers["Access-Control-Allow-Methods"]


async def test_T8_a_browser_that_asks_for_a_page_of_nobodys_hears_no_yes(world: World) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await world.ask("OPTIONS", TOKEN, headers=headers)
    assert (answer.status, readable(answer)) == (200, None)
    assert "Access-Control-Allow-Methods" not in answer.headers


async def test_T8_an_address_of_a_page_is_https_or_at_home(world: World) -> None:
    for name in ("spa_redirect_uris", "native_redirect_uris"):
        answer = await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={name: ["http://app.example/"]})
        assert answer.status == 400
