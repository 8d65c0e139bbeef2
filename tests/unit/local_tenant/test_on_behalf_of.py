"""On-behalf-of: what the tenant takes for an assertion, and what it gives."""

from collections.abc import Callable

import pytest

from local_tenant.ids import Ids
from local_tenant.knobs import Knobs
from local_tenant.ledger import Grant, Ledger
from local_tenant.policies import Proof
from local_tenant.refusals import AadstsRefusal
from tests.stage.tenant import (
    API,
    API_SECRET,
    EDIT,
    GATEWAY,
    GATEWAY_SECRET,
    GRAPH,
    ON_BEHALF_OF,
    World,
    claims_of,
)


async def test_the_api_gets_a_graph_token_that_may_write(world: World) -> None:
    tokens = await world.stepped_up()
    answer = await world.on_behalf_of(
        tokens.body["access_token"], "openid profile offline_access User.ReadWrite", client_info="1"
    )
    assert {"access_token", "refresh_token", "id_token", "client_info"} <= set(answer.body)
    claims = claims_of(answer.body["access_token"])
    assert claims["appid"] == API
    assert claims["scp"].split() == ["openid", "profile", "email", "User.ReadWrite"]
    assert claims_of(answer.body["id_token"])["aud"] == API
    assert claims["oid"] == claims_of(tokens.body["id_token"])["oid"]


async def test_the_apis_refresh_token_is_the_apis_alone_and_of_its_own_family(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"rotate_refresh_tokens": True})
    tokens = await world.stepped_up()
    answer = await world.on_behalf_of(tokens.body["access_token"], "offline_access User.ReadWrite")
    token = answer.body["refresh_token"]
    assert (await world.refresh(token, "User.Read")).number == 70000
    api = {"client_id": API, "client_secret": API_SECRET}
    assert (await world.refresh(token, "User.ReadWrite", **api)).status == 200
    assert (await world.refresh(token, "User.ReadWrite", **api)).number == 50173
    assert (await world.refresh(tokens.body["refresh_token"], EDIT)).status == 200


def test_the_tenant_remembers_so_many_access_tokens_and_no_more() -> None:
    ledger = Ledger(clock=lambda: 0.0, ids=Ids(), knobs=Knobs())
    grant = Grant("client", "oid", "sid", Proof(0.0), 0, "family")
    first, *_, last = [ledger.note_access_token(grant) for _ in range(20_001)]
    assert ledger.behind_access_token(last) is grant
    with pytest.raises(AadstsRefusal) as forgotten:
        ledger.behind_access_token(first)
    assert forgotten.value.number == 50013


async def test_the_second_factor_is_inherited_from_the_assertion(world: World) -> None:
    await world.ask("PUT", f"/admin/policies/{GRAPH}", json={"mfa": True})
    tokens = await world.stepped_up()
    assert (await world.on_behalf_of(tokens.body["access_token"])).status == 200


async def test_a_policy_on_graph_is_refused_with_claims_to_relay(world: World) -> None:
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": False})
    page = await world.visitor().sign_in(world.authorize_url(EDIT))
    tokens = await world.redeem(page, EDIT)
    await world.ask("PUT", f"/admin/policies/{GRAPH}", json={"mfa": True})
    refused = await world.on_behalf_of(tokens.body["access_token"])
    assert (refused.number, refused.body["error"]) == (50076, "invalid_grant")
    assert "capolids" in refused.body["claims"]


async def test_an_expired_assertion_is_refused(world: World) -> None:
    tokens = await world.stepped_up()
    world.clock.now += tokens.body["expires_in"] + 1
    assert (await world.on_behalf_of(tokens.body["access_token"])).number == 500133


@pytest.mark.parametrize(
    "spoil, number",
    [
        (lambda token: token[:-8] + "AAAAAAAA", 50013),
        (lambda _: "garbage", 50013),
        (lambda _: "", 900144),
    ],
)
async def test_what_we_did_not_sign_is_refused(
    world: World, spoil: Callable[[str], str], number: int
) -> None:
    tokens = await world.stepped_up()
    assert (await world.on_behalf_of(spoil(tokens.body["access_token"]))).number == number


async def test_an_assertion_for_another_audience_is_refused(world: World) -> None:
    tokens = await world.stepped_up()
    assert (await world.on_behalf_of(tokens.body["id_token"])).number == 500131
    refused = await world.on_behalf_of(
        tokens.body["access_token"], client_id=GATEWAY, client_secret=GATEWAY_SECRET
    )
    assert refused.number == 500131


async def test_a_graph_token_is_no_assertion(world: World) -> None:
    assert (await world.on_behalf_of((await world.signed_in()).body["access_token"])).number == 50013


async def test_an_applications_token_is_no_assertion(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": GATEWAY, "client_secret": GATEWAY_SECRET}
    token = (await world.token({**form, "scope": f"api://{API}/.default"})).body["access_token"]
    assert (await world.on_behalf_of(token)).number == 7000114


async def test_scopes_of_two_resources_are_refused(world: World) -> None:
    token = (await world.stepped_up()).body["access_token"]
    assert (await world.on_behalf_of(token, f"User.ReadWrite {EDIT}")).number == 28000


async def test_consent_that_was_withdrawn_is_missed(world: World) -> None:
    token = (await world.stepped_up()).body["access_token"]
    await world.ask("PUT", f"/admin/apps/{API}", json={"consent": {}})
    refused = await world.on_behalf_of(token)
    assert (refused.number, refused.body["suberror"]) == (65001, "consent_required")


async def test_the_scopes_of_the_assertion_are_not_looked_at(world: World) -> None:
    scopes = ["EditProfileService.ReadWrite", "Something.Else"]
    await world.ask("PUT", f"/admin/apps/{API}", json={"scopes": scopes})
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"consent": {API: ["Something.Else"]}})
    scope = f"api://{API}/Something.Else"
    visitor = world.visitor()
    page = await visitor.confirm(await visitor.sign_in(world.authorize_url(scope)))
    tokens = await world.redeem(page, scope)
    assert (await world.on_behalf_of(tokens.body["access_token"])).status == 200


async def test_a_revoked_person_is_refused(world: World) -> None:
    token = (await world.stepped_up()).body["access_token"]
    await world.ask("POST", "/admin/people/ada@example.com/revoke")
    assert (await world.on_behalf_of(token)).number == 50173


async def test_requested_token_use_is_required(world: World) -> None:
    token = (await world.stepped_up()).body["access_token"]
    form = {"grant_type": ON_BEHALF_OF, "client_id": API, "client_secret": API_SECRET, "assertion": token}
    assert (await world.token({**form, "scope": "User.ReadWrite"})).number == 900144
