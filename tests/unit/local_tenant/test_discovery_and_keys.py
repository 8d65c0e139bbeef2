"""The authority's documents (OpenID Connect Discovery; Entra's own members)."""

import pytest

from tests.stage.tenant import ISSUER, TENANT_ID, World, header_of

MEMBERS = {
    *("token_endpoint", "token_endpoint_auth_methods_supported", "jwks_uri", "response_modes_supported"),
    *("subject_types_supported", "id_token_signing_alg_values_supported", "response_types_supported"),
    *("scopes_supported", "issuer", "request_uri_parameter_supported", "userinfo_endpoint"),
    *("authorization_endpoint", "device_authorization_endpoint", "http_logout_supported"),
    *("frontchannel_logout_supported", "end_session_endpoint", "claims_supported", "kerberos_endpoint"),
    *("tenant_region_scope", "cloud_instance_name", "cloud_graph_host_name", "msgraph_host", "rbac_url"),
}
WELL_KNOWN = "/v2.0/.well-known/openid-configuration"


@pytest.mark.parametrize("name", [TENANT_ID, "stepuplocal.onmicrosoft.com", "STEPUPLOCAL.onmicrosoft.com"])
async def test_the_tenant_is_known_by_its_id_and_by_its_domain(world: World, name: str) -> None:
    answer = await world.ask("GET", f"/{name}{WELL_KNOWN}")
    assert answer.body["issuer"] == ISSUER


async def test_another_tenant_is_unknown(world: World) -> None:
    answer = await world.ask("GET", f"/somebody-else{WELL_KNOWN}")
    assert (answer.status, answer.number) == (400, 90002)


async def test_the_browser_goes_to_the_public_url_and_services_to_the_authoritys_host(world: World) -> None:
    document = (await world.ask("GET", f"/{TENANT_ID}{WELL_KNOWN}")).body
    assert document["authorization_endpoint"] == f"{world.url}/{TENANT_ID}/oauth2/v2.0/authorize"
    assert document["end_session_endpoint"] == f"{world.url}/{TENANT_ID}/oauth2/v2.0/logout"
    assert document["token_endpoint"] == f"https://stepuplocal.ciamlogin.com/{TENANT_ID}/oauth2/v2.0/token"
    assert document["jwks_uri"] == f"https://stepuplocal.ciamlogin.com/{TENANT_ID}/discovery/v2.0/keys"


async def test_the_document_has_entras_members_and_no_other(world: World) -> None:
    document = (await world.ask("GET", f"/{TENANT_ID}{WELL_KNOWN}")).body
    assert set(document) == MEMBERS
    assert document["subject_types_supported"] == ["pairwise"]
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert document["request_uri_parameter_supported"] is False
    assert document["userinfo_endpoint"] == "https://graph.microsoft.com/oidc/userinfo"
    assert document["http_logout_supported"] is document["frontchannel_logout_supported"] is True


async def test_what_entra_has_not_is_not_advertised(world: World) -> None:
    document = (await world.ask("GET", f"/{TENANT_ID}{WELL_KNOWN}")).body
    absent = {
        "revocation_endpoint",
        "introspection_endpoint",
        "pushed_authorization_request_endpoint",
        "code_challenge_methods_supported",
        "backchannel_logout_supported",
        "frontchannel_logout_session_supported",
    }
    assert not absent & set(document)


async def test_discovery_may_be_cached_and_names_its_request(world: World) -> None:
    headers = (await world.ask("GET", f"/{TENANT_ID}{WELL_KNOWN}")).headers
    assert headers["Cache-Control"] == "max-age=86400, private"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["x-ms-request-id"]
    assert headers["x-ms-ests-server"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_two_keys_are_published_with_microsofts_members(world: World) -> None:
    keys = (await world.ask("GET", f"/{TENANT_ID}/discovery/v2.0/keys")).body["keys"]
    assert len(keys) == 2
    for key in keys:
        assert key["kty"] == "RSA"
        assert key["use"] == "sig"
        assert key["x5t"] == key["kid"]
        assert key["x5c"]
        assert key["issuer"] == ISSUER


async def test_tokens_are_signed_by_a_published_key(world: World) -> None:
    id_token = (await world.signed_in()).body["id_token"]
    keys = (await world.ask("GET", f"/{TENANT_ID}/discovery/v2.0/keys")).body["keys"]
    assert header_of(id_token)["kid"] in {key["kid"] for key in keys}
