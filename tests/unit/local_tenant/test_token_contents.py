"""What is in the tokens (Entra's ID token, access token and optional claims references)."""

import jwt
import pytest

from tests.stage.tenant import (
    API,
    EDIT_SCOPE,
    GATEWAY,
    ISSUER,
    SIGN_IN_SCOPE,
    TENANT_ID,
    World,
    claims_of,
    header_of,
)

OPTIONAL = {"email", "sid", "login_hint", "auth_time", "acrs", "given_name", "family_name", "xms_cc"}
ADA = "5b0e2f4a-8c1d-4e7b-9f36-a1c2d3e4f501"


async def verified(world: World, token: str, audience: str) -> dict[str, object]:
    keys = (await world.ask("GET", f"/{TENANT_ID}/discovery/v2.0/keys")).body
    key = jwt.PyJWKSet.from_dict(keys)[header_of(token)["kid"]]
    claims: dict[str, object] = jwt.decode(token, key, ["RS256"], audience=audience, issuer=ISSUER)
    return claims


async def test_the_id_token_says_who_and_nothing_optional(world: World) -> None:
    token = (await world.signed_in()).body["id_token"]
    claims = await verified(world, token, GATEWAY)
    assert claims["ver"] == "2.0"
    assert claims["tid"] == TENANT_ID
    assert claims["oid"] == ADA
    assert claims["name"] == "Ada Lovelace"
    assert claims["preferred_username"] == "ada@example.com"
    assert claims["nonce"] == "nonce-1"
    assert {"iat", "nbf", "exp", "sub", "uti", "rh", "aio"} <= set(claims)
    assert not (OPTIONAL | {"amr", "acr"}) & set(claims)


async def test_T4_without_the_profile_scope_an_id_token_says_only_that_it_is_somebody(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url("openid offline_access User.Read"))
    tokens = (await world.redeem(page, "openid offline_access User.Read")).body
    refreshed = (await world.refresh(tokens["refresh_token"], "openid")).body
    for token in (tokens["id_token"], refreshed["id_token"]):
        claims = claims_of(token)
        assert not {"oid", "name", "preferred_username", "email"} & set(claims)
        assert {"iss", "aud", "sub", "tid", "exp", "iat", "ver"} <= set(claims)
    full = (await world.refresh(tokens["refresh_token"], "openid profile")).body["id_token"]
    assert claims_of(full)["oid"] == ADA


async def test_T4_the_email_scope_brings_the_address(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url("openid email"))
    claims = claims_of((await world.redeem(page, "openid email")).body["id_token"])
    assert claims["email"] == "ada@example.com"
    assert not {"oid", "name", "preferred_username"} & set(claims)


async def test_T4_names_that_are_optional_claims_need_the_profile_scope_and_the_address_does_not(
    world: World,
) -> None:
    names = ["email", "given_name", "family_name", "sid"]
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {GATEWAY: names}})
    page = await world.visitor().sign_in(world.authorize_url("openid"))
    claims = claims_of((await world.redeem(page, "openid")).body["id_token"])
    assert {"email", "sid"} <= set(claims)
    assert not {"given_name", "family_name"} & set(claims)


async def test_optional_claims_come_when_the_registration_asks_for_them(world: World) -> None:
    names = ["email", "sid", "login_hint", "auth_time", "given_name", "family_name"]
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {GATEWAY: names}})
    page = await world.visitor().sign_in(world.authorize_url())
    claims = claims_of((await world.redeem(page)).body["id_token"])
    assert set(names) <= set(claims)
    assert claims["sid"] == page.answer["session_state"]
    assert claims["auth_time"] == int(world.clock.now)


async def test_the_registration_says_which_optional_claims_there_are_unless_a_knob_does(world: World) -> None:
    for client in (GATEWAY, API):
        knobs = {"optional_claims": ["sid", "auth_time"]}
        assert (await world.ask("PUT", f"/admin/apps/{client}", json=knobs)).status == 200
    tokens = (await world.stepped_up()).body
    for token in (tokens["id_token"], tokens["access_token"]):
        assert claims_of(token)["sid"]
        assert claims_of(token)["auth_time"] == int(world.clock.now)
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {GATEWAY: []}})
    assert "sid" not in claims_of((await world.signed_in()).body["id_token"])


async def test_the_context_that_was_met_is_in_the_id_token_when_it_is_asked_for(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {GATEWAY: ["acrs"]}})
    token = (await world.stepped_up()).body["refresh_token"]
    claims = '{"access_token":{"acrs":{"value":"c1"}}}'
    answer = await world.refresh(token, EDIT_SCOPE, claims=claims)
    assert claims_of(answer.body["id_token"])["acrs"] == ["c1"]
    unknown = await world.refresh(token, EDIT_SCOPE, claims=claims.replace("c1", "c9"))
    assert "acrs" not in claims_of(unknown.body["access_token"])


async def test_the_time_of_sign_in_follows_a_new_sign_in_and_the_second_factor_is_remembered(
    world: World,
) -> None:
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {GATEWAY: ["auth_time"]}})
    visitor = world.visitor()
    await world.stepped_up(visitor)
    world.clock.now += 100
    again = await world.redeem(
        await visitor.sign_in(world.authorize_url(EDIT_SCOPE, prompt="login")), EDIT_SCOPE
    )
    assert claims_of(again.body["id_token"])["auth_time"] == int(world.clock.now)


async def test_a_refreshed_id_token_has_no_nonce(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    assert "nonce" not in claims_of((await world.refresh(token)).body["id_token"])


async def test_the_apis_token_is_a_v2_token_for_the_api_alone(world: World) -> None:
    token = (await world.stepped_up()).body["access_token"]
    assert set(header_of(token)) == {"typ", "alg", "kid"}
    claims = await verified(world, token, API)
    assert claims["azp"] == GATEWAY
    assert claims["azpacr"] == "1"
    assert claims["scp"] == "EditProfileService.ReadWrite"
    assert claims["ver"] == "2.0"
    assert claims["oid"] == ADA
    assert not {"amr", "acr", "acrs", "roles", "nonce", "appid"} & set(claims)


async def test_the_subject_is_pairwise_and_stable(world: World) -> None:
    tokens = (await world.stepped_up()).body
    again = (await world.stepped_up()).body
    assert claims_of(tokens["id_token"])["sub"] != claims_of(tokens["access_token"])["sub"]
    assert claims_of(tokens["id_token"])["sub"] == claims_of(again["id_token"])["sub"]
    grace = (await world.stepped_up(email="grace@example.com")).body
    assert claims_of(tokens["id_token"])["sub"] != claims_of(grace["id_token"])["sub"]


async def test_graphs_token_can_not_be_verified_by_anyone_else(world: World) -> None:
    token = (await world.signed_in()).body["access_token"]
    assert "nonce" in header_of(token)
    with pytest.raises(jwt.InvalidSignatureError):
        await verified(world, token, "https://graph.microsoft.com")
    assert (await world.me(token)).status == 200


async def test_a_resource_that_accepts_v1_tokens_gets_one(world: World) -> None:
    await world.ask("PUT", f"/admin/apps/{API}", json={"access_token_version": 1})
    token = (await world.stepped_up()).body["access_token"]
    claims = claims_of(token)
    assert claims["ver"] == "1.0"
    assert claims["iss"] == f"https://sts.windows.net/{TENANT_ID}/"
    assert claims["aud"] == f"api://{API}"
    assert claims["appid"] == GATEWAY
    assert claims["amr"] == ["pwd", "mfa"]
    assert "azp" not in claims
    assert header_of(token)["x5t"]


async def test_a_knob_makes_every_api_take_v1_tokens(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"v1_access_tokens": True})
    assert claims_of((await world.stepped_up()).body["access_token"])["ver"] == "1.0"


async def test_client_capabilities_reach_the_api_only_if_it_asked_for_them(world: World) -> None:
    claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'
    token = (await world.stepped_up()).body["refresh_token"]
    answer = await world.refresh(token, EDIT_SCOPE, claims=claims)
    assert "xms_cc" not in claims_of(answer.body["access_token"])
    await world.ask("PUT", "/admin/settings", json={"optional_claims": {API: ["xms_cc"]}})
    answer = await world.refresh(token, EDIT_SCOPE, claims=claims)
    assert claims_of(answer.body["access_token"])["xms_cc"] == ["cp1"]


async def test_lifetimes_are_knobs(world: World) -> None:
    await world.ask(
        "PUT",
        "/admin/settings",
        json={"access_token_seconds": 7, "id_token_seconds": 9, "refresh_in_seconds": 3},
    )
    body = (await world.signed_in()).body
    assert (body["expires_in"], body["refresh_in"]) == (7, 3)
    assert claims_of(body["access_token"])["exp"] - claims_of(body["access_token"])["iat"] == 7
    assert claims_of(body["id_token"])["exp"] - claims_of(body["id_token"])["iat"] == 9


async def test_the_name_in_the_id_token_follows_at_the_next_refresh(world: World) -> None:
    tokens = await world.signed_in()
    await world.me(await world.graph_token(), "PATCH", json={"displayName": "Countess of Lovelace"})
    refreshed = await world.refresh(tokens.body["refresh_token"], SIGN_IN_SCOPE)
    assert claims_of(refreshed.body["id_token"])["name"] == "Countess of Lovelace"
