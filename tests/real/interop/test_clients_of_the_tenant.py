"""Other people's OpenID clients take the local tenant for a provider like any other: nothing in them is ours."""

import base64
from typing import Any
from urllib.parse import quote_plus

import pytest

from tests.real.interop.client_program import ClientProgram, running_client
from tests.stage.tenant import (
    CALLBACK,
    EDIT,
    GATEWAY,
    GATEWAY_SECRET,
    ISSUER,
    SIGN_IN_SCOPE,
    TENANT_ID,
    VERIFIER,
    World,
    claims_of,
)
from tests.stage.visitor import Page, Visitor

TOKEN = f"/{TENANT_ID}/oauth2/v2.0/token"


def configuration(world: World, **more: str) -> dict[str, str]:
    return {
        "tenant": world.url,
        "issuer": ISSUER,
        "authority": "https://stepuplocal.ciamlogin.com/",
        "client_id": GATEWAY,
        "secret": GATEWAY_SECRET,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": "http://localhost:3000/",
        "scope": SIGN_IN_SCOPE,
        "edit_scope": EDIT,
        **more,
    }


async def open_for(client: ClientProgram, visitor: Visitor) -> Page:
    """Let the person go where the client sends them, and the client have the answer."""
    page = await visitor.open(await client.hear("open"))
    if page.forms and "password" in page.form.inputs:
        page = await visitor.submit(page, email="ada@example.com", password="Analytical-Engine-1843")
    if page.forms and "code" in page.form.inputs:
        page = await visitor.confirm(page)
    assert page.sent_to is not None, page.text
    await client.say(callback=page.sent_to)
    return page


def said_of_ada(result: dict[str, Any]) -> None:
    assert (result["claims"]["iss"], result["claims"]["aud"]) == (ISSUER, GATEWAY)
    assert result["claims"]["name"] == "Ada Lovelace"
    assert result["userinfo"]["sub"] == result["claims"]["sub"]
    assert result["scope"] == "openid profile email User.Read"


@pytest.mark.parametrize("authentication", ["post", "basic"])
async def test_T1_openid_client_signs_in_refreshes_without_a_scope_and_signs_out(
    tenant: World, node: str, authentication: str
) -> None:
    settings = configuration(tenant, authentication=authentication)
    async with running_client(node, "openid_client.mjs", **settings) as client:
        visitor = tenant.visitor()
        await open_for(client, visitor)
        result = await client.hear("done")

    said_of_ada(result)
    assert result["refreshed"]["sub"] == result["claims"]["sub"]
    refresh = next(
        request for request in client.requests if "grant_type=refresh_token" in (request.get("body", ""))
    )
    assert "scope" not in refresh["body"]
    onward = await visitor.open(result["leave"])
    assert (onward.sent_to or onward.links["Continue"]).startswith("http://localhost:3000/")
    assert "password" in (await visitor.open(tenant.authorize_url())).form.inputs


async def test_T1_oauth4webapi_judges_every_step_and_refreshes_without_a_scope(
    tenant: World, node: str
) -> None:
    async with running_client(node, "oauth4webapi.mjs", **configuration(tenant)) as client:
        await open_for(client, tenant.visitor())
        said_of_ada(await client.hear("done"))

    assert {request["status"] for request in client.requests} == {200}


async def test_msal_for_node_reads_its_cache_refreshes_and_brings_the_second_factor(
    tenant: World, node: str
) -> None:
    async with running_client(node, "msal_node.mjs", **configuration(tenant)) as client:
        visitor = tenant.visitor()
        await open_for(client, visitor)
        await open_for(client, visitor)
        result = await client.hear("done")

    assert (result["name"], result["cached"], result["renewed"]) == ("Ada Lovelace", True, True)
    refused = result["refused"]
    assert (refused["name"], refused["error"]) == ("InteractionRequiredAuthError", "invalid_grant")
    assert (refused["suberror"], "capolids" in refused["claims"]) == ("basic_action", True)
    assert EDIT in result["edit"]["scopes"]
    assert result["edit"]["silent"] is True


async def test_T1_a_client_in_go_tries_basic_first_and_refreshes_without_a_scope(tenant: World) -> None:
    # golang.org/x/oauth2, on which go-oidc stands: credentials form-encoded in the header, then in the body; a code
    # and a refresh token without scope, and no client_id in the body where the header has it.
    packed = base64.b64encode(f"{quote_plus(GATEWAY)}:{quote_plus(GATEWAY_SECRET)}".encode()).decode()
    basic = {"Authorization": f"Basic {packed}"}
    in_body = {"client_id": GATEWAY, "client_secret": GATEWAY_SECRET}
    page = await tenant.visitor().sign_in(tenant.authorize_url())
    code = {"grant_type": "authorization_code", "code": page.answer["code"], "redirect_uri": CALLBACK}
    tokens = await tenant.token({**code, "code_verifier": VERIFIER}, basic)
    assert claims_of(tokens.body["id_token"])["name"] == "Ada Lovelace"
    for proof, headers in (({}, basic), (in_body, {})):
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
        fresh = await tenant.token({**refresh, **proof}, headers)
        assert fresh.body["scope"] == "openid profile email User.Read"
        assert claims_of(fresh.body["id_token"])["sub"] == claims_of(tokens.body["id_token"])["sub"]


async def test_the_clients_agree_on_who_somebody_is(tenant: World, node: str) -> None:
    subjects = set()
    for name in ("openid_client.mjs", "oauth4webapi.mjs"):
        settings = configuration(tenant, authentication="post")
        async with running_client(node, name, **settings) as client:
            await open_for(client, tenant.visitor())
            subjects.add((await client.hear("done"))["claims"]["sub"])
    assert len(subjects) == 1
