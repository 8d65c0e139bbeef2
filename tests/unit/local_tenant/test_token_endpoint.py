"""The token endpoint: codes, refresh tokens, client credentials, client authentication (RFC 6749, RFC 7636)."""

import base64
from urllib.parse import quote_plus

import pytest

from tests.stage.tenant import (
    API,
    API_SECRET,
    CALLBACK,
    EDIT,
    GATEWAY,
    GATEWAY_SECRET,
    GRAPH,
    SIGN_IN_SCOPE,
    TENANT_ID,
    VERIFIER,
    World,
    claims_of,
)


async def test_a_code_brings_all_four_tokens(world: World) -> None:
    answer = await world.signed_in()
    assert answer.status == 200
    assert answer.body["token_type"] == "Bearer"
    assert {"access_token", "refresh_token", "id_token", "client_info"} <= set(answer.body)
    assert 3600 <= answer.body["expires_in"] <= 5400
    assert isinstance(answer.body["ext_expires_in"], int)


async def test_answers_are_not_stored_and_try_to_set_a_cookie(world: World) -> None:
    headers = (await world.signed_in()).headers
    assert headers["Cache-Control"] == "no-store, no-cache"
    assert headers["Pragma"] == "no-cache"
    assert headers["Set-Cookie"].startswith("fpc=")
    assert headers["x-ms-request-id"]
    assert headers["x-ms-ests-server"]


async def test_without_offline_access_and_openid_only_the_access_token_comes(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url("User.Read"))
    answer = await world.redeem(page, "User.Read", client_info="")
    assert set(answer.body) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}


async def test_a_code_works_once(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    assert (await world.redeem(page)).status == 200
    again = await world.redeem(page)
    assert (again.status, again.body["error"], again.number) == (400, "invalid_grant", 54005)


async def test_a_code_expires_after_ten_minutes(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    world.clock.now += 601
    assert (await world.redeem(page)).number == 70008


@pytest.mark.parametrize(
    "changed, number, error",
    [
        ({"code": "garbage"}, 9002313, "invalid_grant"),
        ({"code": ""}, 900144, "invalid_request"),
        ({"code_verifier": "another-verifier-of-forty-three-characters-xx"}, 501481, "invalid_grant"),
        ({"code_verifier": ""}, 501481, "invalid_grant"),
        ({"redirect_uri": "http://localhost:3000/"}, 500112, "invalid_grant"),
        ({"client_id": API, "client_secret": API_SECRET}, 70000, "invalid_grant"),
        ({"scope": f"User.Read {EDIT}"}, 28000, "invalid_request"),
        ({"scope": "api://nobody/Everything"}, 500011, "invalid_resource"),
        ({"scope": "User.Everything"}, 70011, "invalid_scope"),
        ({"scope": "User.ReadWrite"}, 65001, "invalid_grant"),
        ({"grant_type": "password"}, 70003, "unsupported_grant_type"),
        ({"grant_type": ""}, 900144, "invalid_request"),
    ],
)
async def test_what_a_code_is_refused_for_does_not_use_it_up(
    world: World, changed: dict[str, str], number: int, error: str
) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    form = {"scope": SIGN_IN_SCOPE, **changed}
    refused = await world.redeem(page, **form)
    assert (refused.status, refused.number, refused.body["error"]) == (400, number, error)
    assert (await world.redeem(page)).status == 200


async def test_a_plain_code_challenge_is_binding_too(world: World) -> None:
    url = world.authorize_url(code_challenge=VERIFIER, code_challenge_method="plain")
    page = await world.visitor().sign_in(url)
    assert (await world.redeem(page, code_verifier="x" * 43)).number == 501481
    assert (await world.redeem(page)).status == 200


async def test_a_refusal_has_entras_shape(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    form = {"grant_type": "authorization_code", "client_id": GATEWAY, "client_secret": "wrong"}
    refused = await world.token({**form, "code": page.answer["code"]}, {"client-request-id": "our-own-id"})
    assert refused.status == 401
    assert refused.body["error"] == "invalid_client"
    assert refused.body["error_codes"] == [7000215]
    assert refused.body["correlation_id"] == "our-own-id"
    assert refused.body["trace_id"] == refused.headers["x-ms-request-id"]
    assert refused.body["timestamp"].endswith("Z")
    assert refused.body["error_uri"].endswith("7000215")
    assert "Correlation ID: our-own-id Timestamp: " in refused.body["error_description"]
    assert refused.headers["x-ms-clitelem"] == "1,7000215,0,,"


async def test_a_code_is_redeemed_for_what_was_asked_unless_it_says_nothing(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    form = {
        "grant_type": "authorization_code",
        "client_id": GATEWAY,
        "client_secret": GATEWAY_SECRET,
        "code": page.answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    path = f"/{TENANT_ID}/oauth2/v2.0/token"
    refused = await world.ask("POST", path, data={**form, "scope": ""})
    assert (refused.status, refused.body["error"], refused.number) == (400, "invalid_request", 28003)
    assert "User.Read" in (await world.token(form)).body["scope"]


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"client_id=\xff\xfe", "application/x-www-form-urlencoded"),
        (b"client_id=x", "application/x-www-form-urlencoded; charset=klingon"),
    ],
)
@pytest.mark.parametrize("endpoint", ["token", "authorize", "logout"])
async def test_a_form_that_is_no_text_is_refused(
    world: World, endpoint: str, body: bytes, content_type: str
) -> None:
    path = f"/{TENANT_ID}/oauth2/v2.0/{endpoint}"
    refused = await world.ask("POST", path, data=body, headers={"Content-Type": content_type})
    assert refused.status == 400
    assert "AADSTS9002313" in str(refused.body)


async def test_the_answer_names_everything_that_was_consented_to(world: World) -> None:
    consent = {"consent": {GRAPH: ["User.Read", "User.ReadWrite"]}}
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json=consent)
    answer = await world.signed_in()
    assert answer.body["scope"] == "openid profile email User.Read User.ReadWrite"
    assert claims_of(answer.body["access_token"])["scp"] == answer.body["scope"]


async def test_client_credentials_answer_without_anything_of_a_person(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": API, "client_secret": API_SECRET}
    answer = await world.token({**form, "scope": f"{GRAPH}/.default", "client_info": "1"})
    assert set(answer.body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    claims = claims_of(answer.body["access_token"])
    assert claims["idtyp"] == "app"
    assert claims["sub"] == claims["oid"]
    assert not {"scp", "roles"} & set(claims)
    await world.ask("PUT", f"/admin/apps/{API}", json={"app_roles": ["User.Read.All"]})
    answer = await world.token({**form, "scope": f"{GRAPH}/.default"})
    assert claims_of(answer.body["access_token"])["roles"] == ["User.Read.All"]


@pytest.mark.parametrize(
    "scope", ["User.Read", f"api://{API}/.default https://graph.microsoft.com/.default", "openid"]
)
async def test_client_credentials_want_one_default_scope(world: World, scope: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": API, "client_secret": API_SECRET}
    assert (await world.token({**form, "scope": scope})).number == 70011


async def test_the_client_may_use_http_basic(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    form = {
        "grant_type": "authorization_code",
        "code": page.answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "scope": "User.Read",
    }
    good = base64.b64encode(f"{GATEWAY}:{GATEWAY_SECRET}".encode()).decode()
    bad = base64.b64encode(f"{GATEWAY}:wrong".encode()).decode()
    assert (await world.token(form, {"Authorization": f"Basic {bad}"})).number == 7000215
    assert (await world.token(form, {"Authorization": "Basic %%%"})).number == 900144
    borrowed = base64.b64encode(f"{API}:{GATEWAY_SECRET}".encode()).decode()
    refused = await world.token({**form, "client_id": GATEWAY}, {"Authorization": f"Basic {borrowed}"})
    assert refused.number == 7000218
    assert (await world.token(form, {"Authorization": f"Basic {good}"})).status == 200


async def test_a_secret_is_form_encoded_before_http_basic(world: World) -> None:
    secret = "a b+c%20:ü"
    await world.ask("PUT", f"/admin/apps/{API}", json={"secrets": [{"value": secret}]})
    packed = base64.b64encode(f"{API}:{quote_plus(secret)}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": f"{GRAPH}/.default"}
    assert (await world.token(form, {"Authorization": f"Basic {packed}"})).status == 200


@pytest.mark.parametrize(
    "changed, status, number",
    [
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, 400, 700016),
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_secret": ""}, 401, 7000218),
        ({"client_id": ""}, 400, 900144),
    ],
)
async def test_a_client_that_is_not_who_it_says_is_refused(
    world: World, changed: dict[str, str], status: int, number: int
) -> None:
    form = {"grant_type": "refresh_token", "client_id": GATEWAY, "client_secret": GATEWAY_SECRET, **changed}
    refused = await world.token({**form, "refresh_token": "x", "scope": "User.Read"})
    assert (refused.status, refused.number) == (status, number)


async def test_an_expired_secret_says_that_it_expired(world: World) -> None:
    secrets = [{"value": GATEWAY_SECRET, "expires_at": "2020-01-01T00:00:00Z"}]
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"secrets": secrets})
    refused = await world.refresh("x")
    assert (refused.status, refused.number) == (401, 7000222)


async def test_a_confidential_client_may_not_call_from_a_web_page(world: World) -> None:
    form = {"grant_type": "refresh_token", "client_id": GATEWAY, "client_secret": GATEWAY_SECRET}
    token = (await world.signed_in()).body["refresh_token"]
    form |= {"refresh_token": token, "scope": "User.Read"}
    refused = await world.token(form, {"Origin": "http://localhost:3000"})
    assert (refused.body["error"], refused.number) == ("invalid_request", 9002326)
    assert (await world.token(form)).status == 200


async def test_the_token_endpoint_is_posted_to(world: World) -> None:
    assert (await world.ask("GET", f"/{TENANT_ID}/oauth2/v2.0/token")).status == 405
