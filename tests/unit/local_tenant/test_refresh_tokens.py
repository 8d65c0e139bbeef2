"""Refresh tokens: what they are good for, how long, and strict rotation (RFC 6749, section 6; Entra)."""

from tests.stage.tenant import (
    API,
    API_SECRET,
    EDIT,
    EDIT_SCOPE,
    GATEWAY,
    GATEWAY_SECRET,
    SIGN_IN_SCOPE,
    TENANT_ID,
    World,
    claims_of,
)


async def test_a_refresh_token_stays_usable_and_serves_any_resource(world: World) -> None:
    tokens = await world.stepped_up()
    old = tokens.body["refresh_token"]
    first = await world.refresh(old, SIGN_IN_SCOPE)
    second = await world.refresh(old, EDIT_SCOPE)
    assert first.body["refresh_token"] != old
    assert claims_of(second.body["access_token"])["aud"] == API
    assert second.body["id_token"]


async def test_of_two_resources_a_refresh_serves_the_first(world: World) -> None:
    tokens = await world.stepped_up()
    answer = await world.refresh(tokens.body["refresh_token"], f"{EDIT} User.Read")
    assert answer.body["scope"] == EDIT
    answer = await world.refresh(tokens.body["refresh_token"], f"User.Read {EDIT}")
    assert "User.Read" in answer.body["scope"]


async def test_of_two_resources_the_policy_of_the_first_counts(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    assert (await world.refresh(token, f"User.Read {EDIT}")).status == 200
    assert (await world.refresh(token, f"{EDIT} User.Read")).number == 50076


async def test_a_refresh_token_belongs_to_its_client_and_ends_after_ninety_days(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    assert (await world.refresh("garbage")).number == 70000
    other = await world.refresh(token, client_id=API, client_secret=API_SECRET)
    assert (other.number, other.body["suberror"]) == (70000, "bad_token")
    world.clock.now += 90 * 24 * 3600 + 1
    assert (await world.refresh(token)).number == 700082


async def test_strict_rotation_is_a_switch_and_revokes_the_family(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"rotate_refresh_tokens": True})
    old = (await world.signed_in()).body["refresh_token"]
    new = (await world.refresh(old)).body["refresh_token"]
    assert (await world.refresh(old)).number == 50173
    assert (await world.refresh(new)).number == 50173


async def test_T1_a_refresh_without_a_scope_is_for_what_was_granted_first(world: World) -> None:
    graph = (await world.signed_in()).body["refresh_token"]
    api = (await world.stepped_up()).body["refresh_token"]
    answer = await world.refresh(graph, "")
    assert answer.body["scope"] == "openid profile email User.Read"
    assert claims_of(answer.body["id_token"])["aud"] == GATEWAY
    assert (await world.refresh(answer.body["refresh_token"], "")).body["scope"] == answer.body["scope"]
    assert claims_of((await world.refresh(api, "")).body["access_token"])["aud"] == API


async def test_T1_an_empty_scope_in_a_refresh_is_none(world: World) -> None:
    token = (await world.stepped_up()).body["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": GATEWAY, "client_secret": GATEWAY_SECRET}
    path = f"/{TENANT_ID}/oauth2/v2.0/token"
    answer = await world.ask("POST", path, data={**form, "refresh_token": token, "scope": ""})
    assert answer.body["scope"] == EDIT


async def test_T1_a_refresh_in_between_for_another_resource_does_not_change_what_was_granted_first(
    world: World,
) -> None:
    token = (await world.stepped_up()).body["refresh_token"]
    between = await world.refresh(token, "User.Read")
    assert between.body["scope"] == "openid profile email User.Read"
    assert (await world.refresh(between.body["refresh_token"], "")).body["scope"] == EDIT


async def test_T1_a_refresh_with_a_part_of_it_brings_that_part(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    part = await world.refresh(token, "User.Read")
    assert "id_token" not in part.body
    who = await world.refresh(token, "openid")
    assert "id_token" in who.body
    assert who.body["scope"] == "openid profile email User.Read"


async def test_T1_a_scope_that_nobody_granted_stays_refused(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    assert (await world.refresh(token, "User.ReadWrite")).number == 65001
    assert (await world.refresh(token, EDIT)).number == 50076


async def test_T1_of_two_resources_granted_first_a_refresh_without_a_scope_serves_the_first(
    world: World,
) -> None:
    visitor = world.visitor()
    scope = f"openid profile offline_access User.Read {EDIT}"
    page = await visitor.confirm(await visitor.sign_in(world.authorize_url(scope)))
    token = (await world.redeem(page, EDIT_SCOPE)).body["refresh_token"]
    assert "User.Read" in (await world.refresh(token, "")).body["scope"]


async def test_T1_a_code_without_a_scope_is_for_what_was_asked_and_another_resource_needs_its_own_proof(
    world: World,
) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    assert (await world.redeem(page, EDIT_SCOPE)).number == 50076
    answer = await world.redeem(page, "")
    assert answer.body["scope"] == "openid profile email User.Read"
    assert {"id_token", "refresh_token"} <= set(answer.body)


async def test_T1_a_token_on_behalf_of_someone_says_what_it_is_for(world: World) -> None:
    assertion = (await world.stepped_up()).body["access_token"]
    refused = await world.on_behalf_of(assertion, "")
    assert (refused.body["error"], refused.number) == ("invalid_request", 90014)


async def test_scopes_are_echoed_as_they_were_spelled(world: World) -> None:
    token = (await world.stepped_up()).body["refresh_token"]
    assert (await world.refresh(token, EDIT_SCOPE)).body["scope"] == EDIT
    by_id = f"{API}/EditProfileService.ReadWrite"
    assert (await world.refresh(token, by_id)).body["scope"] == by_id
    short = await world.refresh(token, "openid profile User.Read")
    assert short.body["scope"] == "openid profile email User.Read"
    full = await world.refresh(token, "https://graph.microsoft.com/User.Read")
    assert full.body["scope"] == "openid profile email https://graph.microsoft.com/User.Read"


async def test_every_refresh_brings_another_refresh_token(world: World) -> None:
    old = (await world.signed_in()).body["refresh_token"]
    new = (await world.refresh(old, "User.Read")).body["refresh_token"]
    assert new != old
    assert (await world.refresh(new, "User.Read")).status == 200


async def test_default_means_what_was_consented_to_and_nothing_without_it(world: World) -> None:
    token = (await world.stepped_up()).body["refresh_token"]
    answer = await world.refresh(token, f"api://{API}/.default")
    assert claims_of(answer.body["access_token"])["scp"] == "EditProfileService.ReadWrite"
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"consent": {}})
    assert (await world.refresh(token, f"api://{API}/.default")).number == 65001


async def test_openid_scopes_alone_bring_a_graph_token(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    answer = await world.refresh(token, "openid profile")
    assert claims_of(answer.body["access_token"])["aud"] == "https://graph.microsoft.com"
