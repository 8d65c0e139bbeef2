"""A step-up's way back: the same person, the same session, and every tab goes on where it was."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.session.cookie import SessionCookie
from gateway.store.scripts import CREATE
from tests.product.test_callback import STEP_UP, answered, problem_of, sent
from tests.product.test_tokens import vault_of
from tests.stage.network import Network
from tests.stage.other_front_end import GRACE
from tests.stage.redis_wire import runs
from tests.stage.stored import drop_record
from tests.stage.tenant import EDIT
from tests.stage.world import World


async def test_R20_two_tabs_that_step_up_both_arrive_in_any_order(world: World) -> None:
    ada = await world.signed_in()
    refused = [
        (await ada.call("PATCH", "/api/profile", {"city": city})).body for city in ("Rome", "Oslo", "Bern")
    ]
    answers = [
        await answered(ada, f"{one['redirect']}&return_to=/check?n={n}") for n, one in enumerate(refused)
    ]

    assert await sent(ada, answers[1]) == "/check?n=1"
    first = ada.cookie()
    redeemed = await world.asked("token.authorization_code")
    assert await asyncio.gather(*(sent(ada, answers[n]) for n in (0, 2))) == ["/check?n=0", "/check?n=2"]

    assert ada.cookie() == first, "and nobody's session was replaced twice"
    assert await world.asked("token.authorization_code") == redeemed
    for one in refused:
        assert (await ada.call("GET", f"/api/parked-edits/{one['parked_edit']['id']}")).status == 200


async def test_R20_two_step_ups_that_arrive_at_once_are_one(
    make_world: Callable[..., Awaitable[World]], network: Network
) -> None:
    world = await make_world(network=network)
    ada = await world.signed_in()
    answers = [await answered(ada, f"{STEP_UP}?n={n}") for n in range(2)]
    held = network.redis.hold(runs(CREATE), times=2)

    arriving = asyncio.gather(*(sent(ada, answer) for answer in answers))
    await held.reached(2)
    held.release()

    assert await arriving == ["/edit?n=0", "/edit?n=1"]
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200


async def test_S28_somebody_else_at_step_up_changes_nothing(world: World) -> None:
    ada = await world.signed_in()
    parked = (await ada.call("PATCH", "/api/profile", {"city": "Paris"})).body["parked_edit"]["id"]
    before = ada.cookie()
    grace = (await world.front_end()).visitor  # at the authority it is Grace who answers Ada's flow
    redirect = await ada.navigate(STEP_UP)
    page = await grace.open(redirect.headers["Location"])
    page = await grace.submit(page, email=GRACE[0], password=GRACE[1])
    page = await grace.submit(page, code=await grace.newest_code(GRACE[0]))
    location = await sent(ada, page.form.inputs)

    assert problem_of(location) == "different-person"
    assert ada.cookie() == before
    assert (await ada.call("GET", "/api/profile")).body["displayName"] == "Ada Lovelace"
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "step-up"}
    assert (await ada.call("GET", f"/api/parked-edits/{parked}")).status == 200


async def test_S29_a_step_up_finished_after_sign_out_raises_nothing(world: World) -> None:
    ada = await world.signed_in()
    answer = await answered(ada, STEP_UP)
    await ada.call("POST", "/auth/sign-out")

    assert problem_of(await sent(ada, answer)) == "sign-in-required"
    assert not ada.cookie()


async def test_S31_a_cancelled_step_up_leaves_session_and_edit_as_they_were(world: World) -> None:
    ada = await world.signed_in()
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Paris"})).body
    before = ada.cookie(), (await ada.call("GET", "/api/session")).body["access"]
    page = await ada.leave(f"{refused['redirect']}&return_to=/check")
    page = await ada.visitor.follow(page, "Cancel")

    location = await ada.come_back(page)

    assert problem_of(location) == "step-up-cancelled"
    assert parse_qs(urlsplit(location).query)["return_to"] == ["/check"]
    assert (ada.cookie(), (await ada.call("GET", "/api/session")).body["access"]) == before
    parked = await ada.call("GET", f"/api/parked-edits/{refused['parked_edit']['id']}")
    assert parked.body["changes"] == [{"field": "city", "from": "London", "to": "Paris"}]


@pytest.mark.parametrize(
    "error, slug",
    [
        ("access_denied", "step-up-cancelled"),
        ("interaction_required", "sign-in-failed"),
        ("login_required", "sign-in-failed"),
        ("server_error", "authority-unavailable"),
        ("temporarily_unavailable", "authority-unavailable"),
        ("consent_required", "misconfigured"),
        ("invalid_resource", "misconfigured"),
        ("unauthorized_client", "misconfigured"),
    ],
)
async def test_S31_no_refusal_of_the_authority_costs_a_session_or_an_edit(
    world: World, error: str, slug: str
) -> None:
    ada = await world.signed_in()
    refused = (await ada.call("PATCH", "/api/profile", {"city": "Paris"})).body
    before = ada.cookie()
    state = (await answered(ada, f"{refused['redirect']}&return_to=/check"))["state"]

    location = await sent(ada, {"error": error, "state": state})

    assert problem_of(location) == slug
    assert parse_qs(urlsplit(location).query)["return_to"] == ["/check"]
    assert ada.cookie() == before
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("GET", f"/api/parked-edits/{refused['parked_edit']['id']}")).status == 200
    assert await ada.step_up(refused["redirect"]) == "/", "the challenge is there still"


async def test_a_step_up_without_a_session_says_so(world: World) -> None:
    person = await world.front_end()

    response = await person.navigate(STEP_UP)

    assert problem_of(response.headers["Location"]) == "sign-in-required"


async def test_S30_what_asks_for_step_up_is_an_answer_to_a_program_and_never_a_redirect(world: World) -> None:
    ada = await world.signed_in()

    refused = await ada.call("PATCH", "/api/profile", {"city": "Paris"})

    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert "Location" not in refused.headers
    assert urlsplit(refused.body["redirect"])[:3] == ("", "", "/auth/step-up")
    assert set(parse_qs(urlsplit(refused.body["redirect"]).query)) == {"challenge"}
    assert set(refused.body["parked_edit"]) == {"id", "expires_at"}


async def test_S37_each_flow_asks_for_what_it_needs_and_no_more(world: World) -> None:
    ada = await world.signed_in()
    always = {"openid", "profile", "offline_access"}
    queries = {}
    for path in ("/auth/sign-in", "/auth/sign-up", "/auth/step-up"):
        redirect = await ada.navigate(path)
        queries[path] = set(parse_qs(urlsplit(redirect.headers["Location"]).query)["scope"][0].split())

    assert queries["/auth/sign-in"] == queries["/auth/sign-up"] == always | {"User.Read"}
    assert queries["/auth/step-up"] == always | {EDIT}
    assert "User.ReadWrite" not in str(await world.admin("GET", "/requests?point=token.refresh_token"))


async def test_U8_what_the_session_says_of_editing_follows_a_refusal(world: World) -> None:
    ada = await world.confirmed()
    cookie = SessionCookie.parse(ada.cookie())
    assert cookie is not None
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}
    await drop_record(vault_of(world), cookie.ref, "token:edit")
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}
    await world.admin("PUT", "/faults/token.refresh_token", {"aadsts": 50078, "times": 1})
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).slug == "step-up-required"

    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "step-up"}


async def test_R12_a_session_of_before_that_cannot_be_ended_costs_nobody_the_new_one(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await world.signed_in()
    before = browser.cookie()
    grace = (await world.front_end()).visitor  # whom the authority asks anew
    page = await grace.open((await browser.navigate("/auth/sign-in")).headers["Location"])
    page = await grace.submit(page, email=GRACE[0], password=GRACE[1])
    for key in [key async for key in world.redis.scan_iter("stepup:index:*")]:
        await world.redis.set(key, "what Redis refuses to search")

    assert await sent(browser, page.form.inputs) == "/"

    assert "session-before-not-ended" in caplog.messages
    assert browser.cookie() != before
    assert (await browser.call("GET", "/api/session")).body["user"]["name"] == "Grace Hopper"


async def test_R20_what_outlives_a_step_up_is_the_token_for_reading_and_what_was_answered(
    world: World,
) -> None:
    ada = await world.confirmed()
    key = {"Idempotency-Key": "before-the-second-step-up"}
    saved = await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=key)
    assert saved.status == 200
    assert await ada.step_up(STEP_UP) == "/edit"
    await world.admin("PUT", "/faults/token.refresh_token", {"status": 500})

    read = await ada.call("GET", "/api/profile")
    again = await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=key)

    assert (read.status, read.body["city"]) == (200, "Turin"), "though the token endpoint is down"
    assert (again.status, again.body) == (200, saved.body)
    assert await world.asked("token.refresh_token") == 0
    assert await world.asked("graph.patch_me") == 1, (
        "the key's answer was remembered, and nothing was sent twice"
    )
