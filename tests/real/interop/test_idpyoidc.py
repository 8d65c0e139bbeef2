"""The gateway with idpyoidc as its authority: another provider, by other people, in another language."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from tests.real.interop.conftest import CLIENT, InteropWorld

Make = Callable[..., AbstractAsyncContextManager[InteropWorld]]
PROVIDER = "idpyoidc_provider"


@pytest.fixture
async def world(make_world: Make) -> AsyncIterator[InteropWorld]:
    """Give the gateway and a provider with keys of an elliptic curve alone, without the scope offline_access."""
    async with make_world("ES256", provider=PROVIDER) as world:
        yield world


async def read(world: InteropWorld) -> Any:
    return await world.person.call("GET", "/api/profile")


async def is_signed_in(world: InteropWorld) -> bool:
    return bool((await world.person.call("GET", "/api/session")).body["authenticated"])


async def test_W7_a_person_signs_in_where_all_keys_are_of_an_elliptic_curve(world: InteropWorld) -> None:
    assert await world.person.sign_in() == "/edit"

    assert (await world.person.call("GET", "/api/session")).body["user"]["name"] == "Ada Lovelace"
    claims = (await world.person.call("GET", "/api/session/claims")).body["claims"]
    assert (claims["iss"], claims["aud"]) == (world.issuer, [CLIENT])
    assert (await read(world)).body["city"] == "London"


async def test_W4_a_scope_that_the_metadata_do_not_list_is_not_asked_for(world: InteropWorld) -> None:
    location = (await world.person.navigate("/auth/sign-in")).headers["Location"]

    assert "offline_access" not in parse_qs(urlsplit(location).query)["scope"][0].split()


async def test_W1_tokens_of_a_few_seconds_are_renewed_as_they_are_used(world: InteropWorld) -> None:
    await world.person.sign_in()

    for _ in range(2):
        await world.renewed(lambda: read(world))

    assert await is_signed_in(world)


async def test_W4_offline_access_is_asked_for_where_it_is_listed_and_consent_where_a_setting_says_so(
    make_world: Make,
) -> None:
    async with make_world(provider=PROVIDER, scopes=("offline_access",)) as world:
        page = await world.person.leave("/auth/sign-in")
        assert "consent in prompt" in page.text, "the provider takes the scope with prompt=consent alone"
    async with make_world(provider=PROVIDER, scopes=("offline_access",), PROMPT="consent") as world:
        await world.person.sign_in()
        await world.renewed(lambda: read(world))


async def test_W2_a_logout_token_whose_name_of_the_session_is_long_ends_the_session(
    world: InteropWorld,
) -> None:
    await world.person.sign_in()
    claims = (await world.person.call("GET", "/api/session/claims")).body["claims"]
    assert len(claims["sid"]) > 255
    assert await is_signed_in(world)

    page = await world.person.visitor.open(f"{world.issuer}/session")
    await world.person.visitor.submit(page)

    assert (await read(world)).body["reason"] == "signed-out"


async def test_without_a_hint_the_provider_refuses_the_way_back_and_the_gateway_is_signed_out_all_the_same(
    world: InteropWorld,
) -> None:
    await world.person.sign_in()
    redirect = (await world.person.call("POST", "/auth/sign-out")).body["redirect"]
    assert not await is_signed_in(world)

    page = await world.person.visitor.open(redirect)

    assert (page.status, page.text.partition(":")[0]) == (400, "refused")


async def test_W10_with_the_hint_in_a_form_the_provider_signs_out_and_shows_the_way_back(
    make_world: Make,
) -> None:
    async with make_world("ES256", provider=PROVIDER, ID_TOKEN_HINT="1") as world:
        await world.person.sign_in()
        redirect = (await world.person.call("POST", "/auth/sign-out")).body["redirect"]
        assert not await is_signed_in(world)
        assert "id_token_hint" not in redirect

        posting = await world.person.visitor.open(urljoin(world.gateway_url, redirect))
        assert posting.form.action == f"{world.issuer}/session"
        page = await world.person.visitor.submit(posting)
        page = await world.person.visitor.submit(page)

        assert page.sent_to == f"{world.gateway_url}/"
        again = await world.person.leave("/auth/sign-in")
        assert "password" in again.form.inputs, "the provider forgot the person"
