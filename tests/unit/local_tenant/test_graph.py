"""Graph's ``/me``: reading, writing, limits and errors (Graph, user resource type)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_tenant.graph_fields import GraphRefusal, check_changes
from tests.stage.tenant import API, API_SECRET, GATEWAY, GRAPH, World, header_of

DEFAULTS = {
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
}
SELECT = (
    "id,displayName,givenName,surname,jobTitle,city,country,state,postalCode,streetAddress,"
    "preferredLanguage,mail,identities"
)
LIMITS = {
    "displayName": 256,
    "givenName": 64,
    "surname": 64,
    "jobTitle": 128,
    "city": 128,
    "country": 128,
    "state": 128,
    "postalCode": 40,
    "streetAddress": 1024,
}


async def reader(world: World, email: str = "ada@example.com") -> str:
    return str((await world.signed_in(email=email)).body["access_token"])


async def test_without_select_only_the_default_properties_come(world: World) -> None:
    answer = await world.me(await reader(world))
    assert set(answer.body) == DEFAULTS | {"@odata.context"}


async def test_select_brings_the_rest(world: World) -> None:
    answer = await world.me(await reader(world), params={"$select": SELECT})
    assert answer.body["city"] == "London"
    assert answer.body["mail"] == "ada@example.com"
    assert set(answer.body) == {*SELECT.split(","), "@odata.context"}
    signs_in = answer.body["identities"][0]
    assert signs_in["signInType"] == "emailAddress"
    assert signs_in["issuerAssignedId"] == "ada@example.com"


async def test_select_brings_nothing_else(world: World) -> None:
    answer = await world.me(await reader(world), params={"$select": "displayName"})
    assert set(answer.body) == {"displayName", "@odata.context"}


async def test_without_the_right_to_read_there_is_userinfo_and_no_profile(world: World) -> None:
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"consent": {GRAPH: ["Mail.Read"]}})
    page = await world.visitor().sign_in(world.authorize_url("openid"))
    token = (await world.redeem(page, "openid")).body["access_token"]
    refused = await world.me(token)
    assert (refused.status, refused.body["error"]["code"]) == (403, "Authorization_RequestDenied")
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await world.ask("GET", "/oidc/userinfo", headers=bearer)).status == 200


async def test_an_unknown_property_in_select_is_refused(world: World) -> None:
    answer = await world.me(await reader(world), params={"$select": "id,shoeSize"})
    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest")


async def test_half_empty_profiles_have_nulls(world: World) -> None:
    answer = await world.me(await reader(world, "grace@example.com"), params={"$select": SELECT})
    assert answer.body["displayName"] == "Grace Hopper"
    assert answer.body["mail"] is None
    assert answer.body["city"] is None


async def test_every_answer_carries_the_support_headers(world: World) -> None:
    token = await reader(world)
    good = await world.me(token, headers={"client-request-id": "ours"})
    assert good.headers["client-request-id"] == "ours"
    assert good.headers["x-ms-resource-unit"] == "1"
    for answer in (good, await world.me("garbage"), await world.me(token, "PATCH", json={"city": "x"})):
        assert answer.headers["request-id"]
        assert answer.headers["x-ms-ags-diagnostic"]
        assert answer.headers["client-request-id"]


async def test_the_ten_fields_may_be_written_and_the_rest_stays(world: World) -> None:
    token = await world.graph_token()
    changes = dict.fromkeys(LIMITS, "new") | {"preferredLanguage": "de-CH"}
    answer = await world.me(token, "PATCH", json=changes)
    assert (answer.status, answer.body) == (204, "")
    now = (await world.me(await reader(world), params={"$select": SELECT})).body
    assert {name: now[name] for name in changes} == changes
    await world.me(token, "PATCH", json={"city": None})
    now = (await world.me(await reader(world), params={"$select": SELECT})).body
    assert (now["city"], now["jobTitle"]) == (None, "new")


@pytest.mark.parametrize("name", LIMITS)
async def test_a_value_may_be_as_long_as_its_limit_and_no_longer(world: World, name: str) -> None:
    token = await world.graph_token()
    assert (await world.me(token, "PATCH", json={name: "x" * LIMITS[name]})).status == 204
    refused = await world.me(token, "PATCH", json={name: "x" * (LIMITS[name] + 1)})
    assert refused.status == 400
    assert refused.body["error"]["code"] == "Request_BadRequest"
    assert (
        refused.body["error"]["message"]
        == f"Invalid value specified for property '{name}' of resource 'User'."
    )
    assert refused.body["error"]["details"] == [{"target": name, "code": "InvalidValue"}]


@pytest.mark.parametrize(
    "changes, status, code",
    [
        ({"givenName": ""}, 400, "Request_BadRequest"),
        ({"givenName": " "}, 400, "Request_BadRequest"),
        ({"givenName": 7}, 400, "Request_BadRequest"),
        ({"givenName": "half \ud83d"}, 400, "Request_BadRequest"),
        ({"displayName": "👩" * 129}, 400, "Request_BadRequest"),
        ({"displayName": None}, 400, "Request_BadRequest"),
        ({"preferredLanguage": "English!"}, 400, "Request_BadRequest"),
        ({"shoeSize": "42"}, 400, "Request_BadRequest"),
        ({}, 400, "BadRequest"),
        ([], 400, "BadRequest"),
        ({"mail": "x@example.com"}, 403, "Authorization_RequestDenied"),
        ({"identities": []}, 403, "Authorization_RequestDenied"),
        ({"accountEnabled": False}, 403, "Authorization_RequestDenied"),
        ({"mobilePhone": "1"}, 403, "Authorization_RequestDenied"),
    ],
)
async def test_what_is_refused_changes_nothing(world: World, changes: Any, status: int, code: str) -> None:
    token = await world.graph_token()
    sent = {"city": "Changed", **changes} if changes and isinstance(changes, dict) else changes
    refused = await world.me(token, "PATCH", json=sent)
    assert (refused.status, refused.body["error"]["code"]) == (status, code)
    assert {"date", "request-id", "client-request-id"} == set(refused.body["error"]["innerError"])
    profile = await world.ask("GET", "/admin/people/ada@example.com/profile")
    assert profile.body["city"] == "London"


async def test_a_body_that_is_not_json_is_refused(world: World) -> None:
    token = await world.graph_token()
    for body in (b"{", b"\xff", b"[" * 100_000, b'{"city": NaN}'):
        refused = await world.me(token, "PATCH", data=body, headers={"Content-Type": "application/json"})
        assert (refused.status, refused.body["error"]["code"]) == (400, "BadRequest")
    refused = await world.me(token, "PATCH", data=b"{}", headers={"Content-Type": "text/plain"})
    assert refused.status == 400


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c"])
async def test_a_token_that_is_none_is_a_401_with_a_challenge(world: World, token: str) -> None:
    refused = await world.me(token)
    assert (refused.status, refused.body["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert f'client_id="{GRAPH}"' in refused.headers["WWW-Authenticate"]


async def test_a_token_for_the_api_is_no_token_for_graph(world: World) -> None:
    tokens = await world.stepped_up()
    assert (await world.me(tokens.body["access_token"])).status == 401


async def test_an_expired_token_is_refused(world: World) -> None:
    tokens = await world.signed_in()
    world.clock.now += tokens.body["expires_in"]
    assert (await world.me(tokens.body["access_token"])).status == 401


async def test_reading_rights_do_not_write(world: World) -> None:
    refused = await world.me(await reader(world), "PATCH", json={"city": "Paris"})
    assert (refused.status, refused.body["error"]["code"]) == (403, "Authorization_RequestDenied")


async def test_an_application_has_no_me(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": API, "client_secret": API_SECRET}
    token = (await world.token({**form, "scope": f"{GRAPH}/.default"})).body["access_token"]
    assert "nonce" in header_of(token)
    assert (await world.me(token)).status == 400


async def test_a_replica_may_lag_behind_a_write(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"graph_lag_seconds": 30})
    token = await world.graph_token()
    await world.me(token, "PATCH", json={"jobTitle": "Countess"})
    assert (await world.me(token)).body["jobTitle"] == "Analyst"
    world.clock.now += 31
    assert (await world.me(token)).body["jobTitle"] == "Countess"


async def test_someone_new_is_not_on_a_lagging_replica_yet(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"graph_lag_seconds": 30})
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url(prompt="create"))
    page = await visitor.submit(page, email="new@example.com", password="long enough", display_name="New")
    token = (await world.redeem(page)).body["access_token"]
    missing = await world.me(token)
    assert (missing.status, missing.body["error"]["code"]) == (404, "Request_ResourceNotFound")
    world.clock.now += 31
    assert (await world.me(token)).body["mail"] is None


async def test_userinfo_answers_who_it_is(world: World) -> None:
    headers = {"Authorization": f"Bearer {await reader(world)}"}
    answer = await world.ask("GET", "/oidc/userinfo", headers=headers)
    assert answer.body["name"] == "Ada Lovelace"
    assert answer.body["email"] == "ada@example.com"


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=80) | st.none() | st.integers(), max_size=4))
def test_whatever_is_sent_is_either_refused_or_kept_as_it_is(changes: dict[str, Any]) -> None:
    try:
        assert check_changes(changes) == changes
    except GraphRefusal as refused:
        assert refused.status in {400, 403}  # noqa: PT017 - either outcome is right
