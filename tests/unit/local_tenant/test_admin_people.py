"""The admin surface's part about people: who there is, revoking, adding, and the people who are hard to show."""

from typing import Any

import pytest

from local_tenant.unusual_people import PASSWORD
from tests.stage.tenant import EDIT_SCOPE, World, claims_of
from tests.unit.local_tenant.test_graph import LIMITS, SELECT


async def test_revoking_kills_every_refresh_token_and_browser_session(world: World) -> None:
    visitor = world.visitor()
    token = (await world.signed_in(visitor)).body["refresh_token"]
    grace = (await world.signed_in(email="grace@example.com")).body["refresh_token"]
    assert (await world.ask("POST", "/admin/people/ada@example.com/revoke")).status == 204
    assert (await world.refresh(token)).number == 50173
    assert (await world.refresh(grace)).status == 200
    assert "email" in (await visitor.open(world.authorize_url())).form.inputs
    assert (await world.signed_in(visitor)).status == 200


async def test_what_graph_holds_can_be_looked_at(world: World) -> None:
    profile = (await world.ask("GET", "/admin/people/ADA@example.com/profile")).body
    assert profile["displayName"] == "Ada Lovelace"
    assert profile["city"] == "London"
    assert profile["id"] == "5b0e2f4a-8c1d-4e7b-9f36-a1c2d3e4f501"
    missing = await world.ask("GET", "/admin/people/nobody@example.com/profile")
    assert missing.status == 404


async def test_people_can_be_added_and_listed(world: World) -> None:
    person = {"email": "new@example.com", "password": "pw", "profile": {"displayName": "New"}}
    assert (await world.ask("POST", "/admin/people", json=person)).status == 201
    assert (await world.ask("POST", "/admin/people", json=person)).status == 409
    assert (await world.ask("POST", "/admin/people", json={"email": "x"})).status == 400
    listed = (await world.ask("GET", "/admin/people")).body
    assert [entry["email"] for entry in listed] == ["ada@example.com", "grace@example.com", "new@example.com"]


@pytest.fixture
async def unusual(world: World) -> dict[str, dict[str, Any]]:
    """Give what Graph tells each of the unusual people about themselves, by the address they sign in with."""
    profiles = {}
    for person in (await world.ask("POST", "/admin/people/unusual")).body:
        page = await world.visitor().sign_in(world.authorize_url(), person["email"], PASSWORD)
        tokens = (await world.redeem(page)).body
        profile = (await world.me(tokens["access_token"], params={"$select": SELECT})).body
        assert claims_of(tokens["id_token"])["name"] == profile["displayName"]
        profiles[person["email"]] = profile
    return profiles


async def test_someone_federated_has_no_address_of_the_tenants_own(
    unusual: dict[str, dict[str, Any]],
) -> None:
    first, second = unusual["federated@example.com"]["identities"]
    assert (first["signInType"], first["issuer"]) == ("federated", "google.com")
    assert second["signInType"] == "userPrincipalName"


async def test_someone_may_have_nothing_but_a_name(unusual: dict[str, dict[str, Any]]) -> None:
    nothing = unusual["nothing@example.com"]
    filled = {name for name, value in nothing.items() if value is not None}
    assert filled == {"@odata.context", "id", "displayName", "identities"}


async def test_someone_is_not_latin_in_every_field(unusual: dict[str, dict[str, Any]]) -> None:
    yamada = unusual["yamada@example.com"]
    written = {name for name in LIMITS if not str(yamada[name]).isascii()}
    assert written == set(LIMITS) - {"postalCode"}


async def test_someone_has_the_longest_name_there_can_be(unusual: dict[str, dict[str, Any]]) -> None:
    assert len(unusual["long@example.com"]["displayName"]) == 256


async def test_someone_has_no_second_factor(world: World, unusual: dict[str, dict[str, Any]]) -> None:
    email = "no-second-factor@example.com"
    assert email in unusual
    page = await world.visitor().sign_in(world.authorize_url(EDIT_SCOPE), email, PASSWORD)
    assert "AADSTS50079" in page.text


async def test_unusual_people_come_once(world: World, unusual: dict[str, dict[str, Any]]) -> None:
    assert len(unusual) == 5
    again = await world.ask("POST", "/admin/people/unusual")
    assert (again.status, again.body) == (201, [])
