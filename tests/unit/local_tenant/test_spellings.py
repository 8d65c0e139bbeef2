"""Upper and lower case: what Entra takes for the same, and what it doesn't (row T5)."""

import base64

import pytest

from local_tenant.directory import Directory
from local_tenant.policies import ClaimsRequest, ConditionalAccessPolicy, Policies, Proof
from tests.stage.tenant import (
    API,
    API_SECRET,
    CALLBACK,
    EDIT,
    GATEWAY,
    GATEWAY_SECRET,
    GRAPH,
    TENANT_ID,
    VERIFIER,
    World,
    claims_of,
)
from tests.unit.local_tenant.test_msal_accepts_it import Client


@pytest.mark.parametrize(
    "scope",
    [
        "user.read",
        "USER.READ",
        "https://graph.microsoft.com/user.read",
        "HTTPS://Graph.Microsoft.com/User.Read",
    ],
)
async def test_T5_a_permission_in_any_case_is_the_same_and_the_answer_spells_it_as_asked(
    world: World, scope: str
) -> None:
    asked = f"openid offline_access {scope}"
    page = await world.visitor().sign_in(world.authorize_url(asked))
    answer = await world.redeem(page, asked)
    assert answer.body["scope"] == f"openid profile email {scope}"
    assert "User.Read" in claims_of(answer.body["access_token"])["scp"].split()
    assert (await world.me(answer.body["access_token"])).status == 200
    assert (await world.refresh(answer.body["refresh_token"], scope)).body["scope"] == answer.body["scope"]


@pytest.mark.parametrize(
    "scope",
    [EDIT.upper().replace("API://", "api://"), f"API://{API}/editprofileservice.readwrite", EDIT.lower()],
)
async def test_T5_so_is_an_apis_scope_and_its_policy_counts(world: World, scope: str) -> None:
    visitor = world.visitor()
    page = await visitor.confirm(await visitor.sign_in(world.authorize_url(scope)))
    answer = await world.redeem(page, scope)
    assert answer.body["scope"] == scope
    claims = claims_of(answer.body["access_token"])
    assert (claims["aud"], claims["scp"]) == (API, "EditProfileService.ReadWrite")


async def test_T5_openid_scopes_and_default_are_read_in_any_case(world: World) -> None:
    asked = "OpenID Profile OFFLINE_ACCESS https://graph.microsoft.com/.Default"
    page = await world.visitor().sign_in(world.authorize_url(asked))
    tokens = (await world.redeem(page, asked)).body
    assert {"id_token", "refresh_token"} <= set(tokens)
    assert claims_of(tokens["id_token"])["name"] == "Ada Lovelace"


async def test_T5_a_client_id_in_upper_case_is_the_same_client(world: World) -> None:
    upper = GATEWAY.upper()
    page = await world.visitor().sign_in(world.authorize_url(client_id=upper))
    answer = await world.redeem(page, client_id=upper)
    claims = claims_of(answer.body["id_token"])
    assert claims["aud"] == GATEWAY, "a GUID in a token is in lower case"
    assert claims["sub"] == claims_of((await world.signed_in()).body["id_token"])["sub"]
    assert (await world.refresh(answer.body["refresh_token"])).status == 200


async def test_T5_so_it_is_in_http_basic_and_beside_the_other_spelling(world: World) -> None:
    packed = base64.b64encode(f"{GATEWAY.upper()}:{GATEWAY_SECRET}".encode()).decode()
    page = await world.visitor().sign_in(world.authorize_url())
    form = {
        "grant_type": "authorization_code",
        "client_id": GATEWAY,
        "code": page.answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    assert (await world.token(form, {"Authorization": f"Basic {packed}"})).status == 200


async def test_T5_ids_of_tenant_resource_and_policy_are_read_in_any_case(world: World) -> None:
    keys = await world.ask("GET", f"/{TENANT_ID.upper()}/discovery/v2.0/keys")
    assert keys.status == 200
    form = {"grant_type": "client_credentials", "client_id": API.upper(), "client_secret": API_SECRET}
    assert (await world.token({**form, "scope": f"{GRAPH.upper()}/.default"})).status == 200
    consent = {"consent": {GRAPH: ["user.read"], API.upper(): ["editprofileservice.readwrite"]}}
    assert (await world.ask("PUT", f"/admin/apps/{GATEWAY.upper()}", json=consent)).status == 200
    assert (await world.ask("PUT", f"/admin/policies/{API.upper()}", json={"mfa": False})).status == 200
    page = await world.visitor().sign_in(world.authorize_url(EDIT))
    assert (await world.redeem(page, EDIT)).body["scope"] == EDIT


async def test_T5_so_are_ids_in_knobs_and_in_the_configuration(world: World) -> None:
    knobs = {"optional_claims": {GATEWAY.upper(): ["email"]}}
    await world.ask("PUT", "/admin/settings", json=knobs)
    assert claims_of((await world.signed_in()).body["id_token"])["email"] == "ada@example.com"
    someone = Directory(TENANT_ID, "x").add(oid="1", email="x@x.example", password="x", profile={}, now=0.0)
    policy = ConditionalAccessPolicy(id=TENANT_ID, target=API.upper(), blocked=True)
    unmet = Policies({"one": policy}).unmet((API,), ClaimsRequest(), someone, Proof(0.0))
    assert unmet is not None
    assert unmet.number == 53003


async def test_T5_a_redirect_uri_is_the_same_in_one_spelling_only(world: World) -> None:
    page = await world.visitor().open(world.authorize_url(redirect_uri=CALLBACK.replace("auth", "Auth")))
    assert "AADSTS50011" in page.text
    page = await world.visitor().sign_in(world.authorize_url())
    assert (await world.redeem(page, redirect_uri=CALLBACK.upper())).number == 500112


async def test_T5_msal_finds_a_token_in_its_cache_under_the_spelling_that_it_asked(world: World) -> None:
    gateway = Client(world, GATEWAY, GATEWAY_SECRET)
    flow = await gateway.call(
        "initiate_auth_code_flow", ["user.read"], redirect_uri=CALLBACK, response_mode="form_post"
    )
    page = await world.visitor().sign_in(flow["auth_uri"])
    assert "access_token" in await gateway.call("acquire_token_by_auth_code_flow", flow, page.answer)
    asked = gateway.adapter.posts
    for _ in range(3):
        assert "access_token" in await gateway.silent("user.read")
    assert gateway.adapter.posts == asked
    gateway.session.close()
