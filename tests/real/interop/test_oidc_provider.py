"""The gateway with a certified OpenID provider as its authority: nothing in it is ours, and nothing in it is Entra."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs, urljoin, urlsplit

from tests.real.interop.conftest import CLIENT, MFA, InteropWorld
from tests.stage.other_front_end import Answer
from tests.stage.patience import PATIENCE

CODE = "123456"


async def save(world: InteropWorld) -> Answer:
    """Change the city."""
    return await world.person.call("PATCH", "/api/profile", {"city": "Paris"})


async def read(world: InteropWorld) -> Answer:
    """Read the profile."""
    return await world.person.call("GET", "/api/profile")


async def is_signed_in(world: InteropWorld) -> bool:
    """Ask the gateway."""
    return bool((await world.person.call("GET", "/api/session")).body["authenticated"])


async def test_U31_a_person_signs_in_and_reads_their_profile(world: InteropWorld) -> None:
    assert await world.person.sign_in() == "/edit"

    session = (await world.person.call("GET", "/api/session")).body
    assert (session["user"]["name"], session["access"]) == ("Ada Lovelace", {"profile.edit": "step-up"})
    claims = (await world.person.call("GET", "/api/session/claims")).body["claims"]
    assert (claims["iss"], claims["aud"], claims["sub"]) == (world.issuer, CLIENT, "ada@example.com")
    assert (await world.person.call("GET", "/api/profile")).body["city"] == "London"


async def test_a_token_that_ends_soon_is_refreshed_and_the_refresh_token_rotates(world: InteropWorld) -> None:
    await world.person.sign_in()

    for _ in range(3):
        await world.renewed(lambda: read(world))

    assert await is_signed_in(world)


async def test_calls_at_once_spend_a_rotating_refresh_token_once(world: InteropWorld) -> None:
    await world.person.sign_in()
    await read(world)
    first = {*world.api.seen}

    async with asyncio.timeout(PATIENCE):
        while len({*world.api.seen} - first) < 2:
            answers = await asyncio.gather(*(read(world) for _ in range(10)))
            assert {answer.status for answer in answers} == {200}

    assert (await read(world)).status == 200


async def test_a_challenge_of_rfc_9470_ends_with_the_edit_saved(world: InteropWorld) -> None:
    await world.person.sign_in()

    # The refresh token does not reach the scope for editing: the provider grants it without a question.
    lacking_scope = (await save(world)).body
    assert (lacking_scope["type"], lacking_scope["scope"]) == ("/problems/step-up-required", "profile.edit")
    assert await world.person.come_back(await world.person.leave(lacking_scope["redirect"])) == "/"

    # Now the API itself asks for more: its acr_values and max_age reach the provider as they are.
    lacking_proof = (await save(world)).body
    assert lacking_proof["type"] == "/problems/step-up-required"
    redirect = await world.person.navigate(f"{lacking_proof['redirect']}&return_to=/check")
    query = parse_qs(urlsplit(redirect.headers["Location"]).query)
    assert (query["acr_values"], query["max_age"]) == ([MFA], ["300"])
    assert "claims" not in query
    page = await world.person.visitor.open(redirect.headers["Location"])
    assert list(page.form.inputs) == ["code"], "the person is asked for the second factor only"
    page = await world.person.visitor.submit(page, code=CODE)
    assert await world.person.come_back(page) == "/check"

    saved = await world.person.call("POST", f"/api/parked-edits/{lacking_proof['parked_edit']['id']}")
    assert (saved.status, saved.body["city"]) == (200, "Paris")
    claims = (await world.person.call("GET", "/api/session/claims")).body["claims"]
    assert claims["acr"] == MFA
    await world.renewed(lambda: save(world))  # the proof outlives a refresh
    assert (await world.person.call("GET", "/api/profile")).status == 200, "and reading goes on"


async def test_signing_out_ends_the_session_on_both_sides(world: InteropWorld) -> None:
    await world.person.sign_in()
    redirect = (await world.person.call("POST", "/auth/sign-out")).body["redirect"]
    assert redirect.startswith(f"{world.issuer}/session/end?")
    assert not await is_signed_in(world)

    page = await world.person.visitor.submit(await world.person.visitor.open(redirect))

    assert page.sent_to == f"{world.gateway_url}/"
    again = await world.person.leave("/auth/sign-in")
    assert "password" in again.form.inputs, "the provider forgot the person"


async def test_W10_signing_out_with_the_hint_in_a_form_ends_the_session_on_both_sides(
    make_world: Callable[..., AbstractAsyncContextManager[InteropWorld]],
) -> None:
    async with make_world(takes_posts=True, ID_TOKEN_HINT="1") as world:
        await world.person.sign_in()
        redirect = (await world.person.call("POST", "/auth/sign-out")).body["redirect"]

        posting = await world.person.visitor.open(urljoin(world.gateway_url, redirect))
        assert posting.form.action == f"{world.issuer}/session/end"
        assert posting.form.inputs["id_token_hint"]
        page = await world.person.visitor.submit(await world.person.visitor.submit(posting))

        assert page.sent_to == f"{world.gateway_url}/"
        again = await world.person.leave("/auth/sign-in")
        assert "password" in again.form.inputs, "the provider forgot the person"


async def test_signing_out_at_the_provider_ends_the_session_by_the_back_channel(world: InteropWorld) -> None:
    await world.person.sign_in()
    assert await is_signed_in(world)

    page = await world.person.visitor.open(f"{world.issuer}/session/end")
    await world.person.visitor.submit(page)

    # The provider goes on only when the gateway has answered.
    assert (await world.person.call("GET", "/api/profile")).body["reason"] == "signed-out"


async def test_a_provider_whose_certificate_nobody_vouches_for_is_not_spoken_to(
    make_world: Callable[..., AbstractAsyncContextManager[InteropWorld]],
) -> None:
    async with make_world(CA_BUNDLE="") as world:
        location = (await world.person.navigate("/auth/sign-in")).headers["Location"]

        assert location.startswith("/problem?type=authority-unavailable&")
