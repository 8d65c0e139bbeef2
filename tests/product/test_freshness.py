"""A confirmation lasts as long as the operator says, and no session outlives it."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.tenant import API
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]


async def confirm_again(ada: OtherFrontEnd, path: str) -> str:
    """Prove who one is once more, as the authority must ask for.

    Whether a fresh sign-in asks for the second factor again is the tenant's decision; the password it always asks for.
    """
    redirect = await ada.navigate(path)
    assert parse_qs(urlsplit(redirect.headers["Location"]).query)["prompt"] == ["login"]
    page = await ada.visitor.open(redirect.headers["Location"])
    page = await ada.visitor.submit(page, email=ADA[0], password=ADA[1])
    if "state" not in page.form.inputs:
        page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
    return await ada.come_back(page)


async def test_S27_an_edit_asks_again_after_the_confirmation_s_age_although_the_session_lives(
    make_world: MakeWorld,
) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="300")
    ada = await world.confirmed()
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200

    world.forward(301)

    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "step-up"}
    refused = await ada.call("PATCH", "/api/profile", {"city": "Oslo"})
    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert await confirm_again(ada, f"{refused.body['redirect']}&return_to=/check") == "/check"
    parked = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
    assert (await ada.call("POST", parked)).body["city"] == "Oslo"


async def test_a_step_up_asked_for_up_front_is_fresh_as_well(make_world: MakeWorld) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="300")
    ada = await world.confirmed()
    world.forward(301)

    assert await confirm_again(ada, "/auth/step-up?action=profile.edit&return_to=/edit") == "/edit"

    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Oslo"})).status == 200


async def test_S27_no_confirmation_is_renewed_by_what_the_authority_remembers(make_world: MakeWorld) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="300")
    ada = await world.confirmed()
    # While it is young still, nobody is asked for one; whoever goes there all the same must prove who they are.
    redirect = await ada.navigate("/auth/step-up?action=profile.edit")
    assert parse_qs(urlsplit(redirect.headers["Location"]).query)["prompt"] == ["login"]

    # A challenge of before, met after the age is over.
    await world.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "times": 1})
    refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    assert refused.slug == "step-up-required"
    world.forward(301)
    assert await confirm_again(ada, f"{refused.body['redirect']}&return_to=/check") == "/check"


async def test_S27_a_new_session_inherits_no_confirmation_from_the_authority(make_world: MakeWorld) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="300")
    ada = await world.confirmed()
    assert await ada.sign_in() == "/edit", "which the authority lets pass without a question"

    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "step-up"}
    refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert await confirm_again(ada, refused.body["redirect"]) == "/"


async def test_an_edit_within_the_age_asks_nothing(make_world: MakeWorld) -> None:
    world = await make_world(STEP_UP_MAX_AGE_SECONDS="300")
    ada = await world.confirmed()
    world.forward(299)

    assert (await ada.call("PATCH", "/api/profile", {"city": "Oslo"})).status == 200


async def test_without_an_age_the_authority_alone_decides(world: World) -> None:
    ada = await world.confirmed()
    world.forward(1500)

    assert (await ada.call("PATCH", "/api/profile", {"city": "Oslo"})).status == 200


async def test_A11_an_authentication_context_that_the_api_demands_is_proven_in_the_token(
    make_world: MakeWorld,
) -> None:
    world = await make_world(api_ACRS="c1")
    ada = await world.confirmed()  # MFA, but not for the context

    refused = await ada.call("PATCH", "/api/profile", {"city": "Oslo"})
    assert (refused.status, refused.slug) == (403, "step-up-required")
    redirect = await ada.navigate(refused.body["redirect"])
    claims = parse_qs(urlsplit(redirect.headers["Location"]).query)["claims"]
    assert "c1" in claims[0]
    await ada.step_up(f"{refused.body['redirect']}&return_to=/check")

    parked = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
    assert (await ada.call("POST", parked)).body["city"] == "Oslo"
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200


async def test_RFC9470_an_api_that_wants_a_recent_sign_in_gets_one(make_world: MakeWorld) -> None:
    world = await make_world(api_MAX_AGE_SECONDS="300")
    await world.admin("PUT", "/settings", {"optional_claims": {API: ["auth_time"]}})
    ada = await world.confirmed()
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200
    world.forward(430)

    refused = await ada.call("PATCH", "/api/profile", {"city": "Oslo"})

    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert await confirm_again(ada, f"{refused.body['redirect']}&return_to=/check") == "/check"
    parked = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
    assert (await ada.call("POST", parked)).body["city"] == "Oslo"
