"""When the second factor is asked for, and how its absence is refused (Entra, Conditional Access)."""

import json

import pytest

from tests.stage.tenant import API, EDIT_SCOPE, GRAPH, SIGN_IN_SCOPE, World, claims_of


async def test_reading_needs_no_second_factor(world: World) -> None:
    assert "code" in (await world.visitor().sign_in(world.authorize_url())).answer


async def test_a_refresh_for_the_api_is_refused_with_a_challenge_and_the_token_lives_on(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    refused = await world.refresh(token, EDIT_SCOPE)
    assert refused.status == 400
    assert refused.body["error"] == "invalid_grant"
    assert refused.body["suberror"] == "basic_action"
    assert refused.number == 50076
    assert isinstance(refused.body["claims"], str)
    policies = json.loads(refused.body["claims"])["access_token"]["capolids"]
    assert policies["essential"] is True
    assert (await world.refresh(token, SIGN_IN_SCOPE)).status == 200


async def test_the_challenge_alone_asks_for_the_second_factor(world: World) -> None:
    visitor = world.visitor()
    token = (await world.signed_in(visitor)).body["refresh_token"]
    claims = (await world.refresh(token, EDIT_SCOPE)).body["claims"]
    page = await visitor.open(world.authorize_url(SIGN_IN_SCOPE, claims=claims))
    assert "Confirm" in page.text
    assert "code" in (await visitor.confirm(page)).answer
    assert (await world.refresh(token, SIGN_IN_SCOPE, claims=claims)).number == 50076


@pytest.mark.parametrize("member", ["capolids", "polids"])
async def test_a_challenge_names_the_policy_in_either_spelling(world: World, member: str) -> None:
    visitor = world.visitor()
    token = (await world.signed_in(visitor)).body["refresh_token"]
    claims = (await world.refresh(token, EDIT_SCOPE)).body["claims"].replace("capolids", member)
    page = await visitor.open(world.authorize_url(SIGN_IN_SCOPE, claims=claims))
    assert "Confirm" in page.text


async def test_the_second_factor_is_given_once_and_remembered_by_the_session(world: World) -> None:
    visitor = world.visitor()
    tokens = await world.stepped_up(visitor)
    again = await visitor.open(world.authorize_url(EDIT_SCOPE))
    assert "session_state" in again.answer
    assert (await world.refresh(tokens.body["refresh_token"], EDIT_SCOPE)).status == 200
    assert (await world.refresh(tokens.body["refresh_token"], SIGN_IN_SCOPE)).status == 200


async def test_a_refresh_token_from_before_the_second_factor_stays_without_it(world: World) -> None:
    visitor = world.visitor()
    before = (await world.signed_in(visitor)).body["refresh_token"]
    page = await visitor.open(world.authorize_url(EDIT_SCOPE))
    await world.redeem(await visitor.confirm(page), EDIT_SCOPE)
    assert (await world.refresh(before, EDIT_SCOPE)).number == 50076


async def test_another_browser_has_given_no_second_factor(world: World) -> None:
    await world.stepped_up()
    page = await world.visitor().sign_in(world.authorize_url(EDIT_SCOPE))
    assert "Confirm" in page.text


async def test_a_policy_that_is_switched_off_asks_for_nothing(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": False})
    assert (await world.refresh(token, EDIT_SCOPE)).status == 200


async def test_a_policy_may_refuse_without_claims(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": True, "claims": False})
    refused = await world.refresh(token, EDIT_SCOPE)
    assert refused.number == 50076
    assert "claims" not in refused.body


async def test_a_policy_that_came_after_authorize_is_met_at_redemption(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    await world.ask("PUT", f"/admin/policies/{GRAPH}", json={"mfa": True})
    assert (await world.redeem(page)).number == 50076


async def test_a_block_is_a_page_whose_way_back_is_access_denied(world: World) -> None:
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": "blocked"})
    visitor = world.visitor()
    page = await visitor.sign_in(world.authorize_url(EDIT_SCOPE))
    assert "AADSTS53003" in page.text
    assert page.forms == []
    answer = (await visitor.follow(page, "Go back to the application")).answer
    assert answer["error"] == "access_denied"
    assert answer["error_description"].startswith("AADSTS53003")


async def test_a_block_is_told_the_application_where_no_page_may_be_shown(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": "blocked"})
    answer = (await visitor.open(world.authorize_url(EDIT_SCOPE, prompt="none"))).answer
    assert answer["error"] == "access_denied"


async def test_a_block_at_the_token_endpoint_says_message_only(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": "blocked"})
    refused = await world.refresh(token, EDIT_SCOPE)
    assert (refused.status, refused.number) == (400, 53003)
    assert refused.body["suberror"] == "message_only"
    assert "claims" not in refused.body


async def test_someone_without_a_second_factor_can_not_pass(world: World) -> None:
    await world.ask("PUT", "/admin/people/ada@example.com", json={"second_factor": "none"})
    visitor = world.visitor()
    page = await visitor.sign_in(world.authorize_url(EDIT_SCOPE))
    assert "AADSTS50079" in page.text
    assert (await visitor.follow(page, "Go back to the application")).answer["error"] == "access_denied"
    token = (await world.signed_in()).body["refresh_token"]
    refused = await world.refresh(token, EDIT_SCOPE)
    assert (refused.number, refused.body["suberror"]) == (50079, "basic_action")


@pytest.mark.parametrize("form", ['{"value":"c1"}', '{"essential":true,"values":["c1"]}'])
async def test_an_authentication_context_is_asked_for_and_then_shown_in_the_token(
    world: World, form: str
) -> None:
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": False})
    claims = f'{{"access_token":{{"acrs":{form}}}}}'
    visitor = world.visitor()
    token = (await world.signed_in(visitor)).body["refresh_token"]
    assert "acrs" not in claims_of((await world.refresh(token, EDIT_SCOPE)).body["access_token"])
    assert (await world.refresh(token, EDIT_SCOPE, claims=claims)).number == 50076
    page = await visitor.confirm(await visitor.open(world.authorize_url(EDIT_SCOPE, claims=claims)))
    tokens = await world.redeem(page, EDIT_SCOPE, claims=claims)
    assert claims_of(tokens.body["access_token"])["acrs"] == ["c1"]


async def test_a_disabled_account_signs_in_no_more_and_refreshes_nothing(world: World) -> None:
    visitor = world.visitor()
    tokens = (await world.signed_in(visitor)).body
    token, access_token = tokens["refresh_token"], tokens["access_token"]
    await world.ask("PUT", "/admin/people/ada@example.com", json={"enabled": False})
    assert (await world.refresh(token)).number == 50057
    assert (await world.me(access_token)).status == 401
    page = await visitor.sign_in(world.authorize_url())
    assert "AADSTS50057" in page.text
