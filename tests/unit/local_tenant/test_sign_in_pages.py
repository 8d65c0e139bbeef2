"""The pages, used as a browser without script would."""

import pytest

from local_tenant.ids import Ids
from local_tenant.inbox import Inbox, Outcome
from tests.stage.tenant import EDIT_SCOPE, TENANT_ID, World, claims_of
from tests.stage.visitor import Page, Visitor


async def at_second_factor(world: World) -> tuple[Visitor, Page]:
    visitor = world.visitor()
    return visitor, await visitor.sign_in(world.authorize_url(EDIT_SCOPE))


async def test_each_page_has_one_form_with_one_button_and_a_way_out(world: World) -> None:
    visitor = world.visitor()
    sign_in = await visitor.open(world.authorize_url(EDIT_SCOPE))
    sign_up = await visitor.follow(sign_in, "Create an account")
    code = await visitor.sign_in(world.authorize_url(EDIT_SCOPE))
    for page, names in (
        (sign_in, {"email", "password"}),
        (sign_up, {"email", "password", "display_name"}),
        (code, {"code"}),
    ):
        assert set(page.form.inputs) == names
        assert page.form.submit_buttons == 1
        assert "Cancel" in page.links
        assert "local stand-in, not Microsoft" in page.text
        assert page.headers["Cache-Control"] == "no-store, no-cache"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_a_wrong_password_is_said_on_the_page_and_the_address_stays(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.sign_in(world.authorize_url(), password="wrong")
    assert page.status == 400
    assert "AADSTS50126" in page.text
    assert page.form.inputs["email"] == "ada@example.com"
    page = await visitor.submit(page, password="Analytical-Engine-1843")
    assert "code" in page.answer


async def test_an_unknown_address_gets_the_same_words_as_a_wrong_password(world: World) -> None:
    visitor = world.visitor()
    unknown = await visitor.submit(
        await visitor.open(world.authorize_url()), email="nobody@example.com", password="x"
    )
    wrong = await visitor.sign_in(world.authorize_url(), password="wrong")
    assert unknown.text == wrong.text


async def test_what_is_typed_comes_back_as_text_and_not_as_markup(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url())
    typed = '"><script>alert(1)</script>'
    page = await visitor.submit(page, email=typed, password="x")
    assert page.form.inputs["email"] == typed


async def test_sign_up_makes_an_account_and_signs_it_in(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url(prompt="create"))
    page = await visitor.submit(
        page, email="Katherine@Example.com", password="Orbit-1962-x", display_name="Katherine Johnson"
    )
    tokens = await world.redeem(page)
    assert claims_of(tokens.body["id_token"])["name"] == "Katherine Johnson"
    again = await world.visitor().sign_in(world.authorize_url(), "katherine@example.com", "Orbit-1962-x")
    assert "code" in again.answer


@pytest.mark.parametrize(
    "wrong, typed, said",
    [
        ("email", "ada@EXAMPLE.com", "already an account"),
        ("email", "not an address", "Enter an e-mail address"),
        ("password", "short", "8 characters or more"),
        ("display_name", " ", "Enter a display name"),
    ],
)
async def test_sign_up_says_what_is_wrong_and_loses_nothing(
    world: World, wrong: str, typed: str, said: str
) -> None:
    visitor = world.visitor()
    filled = {
        "email": "new@example.com",
        "password": "long enough",
        "display_name": "New Person",
        wrong: typed,
    }
    page = await visitor.submit(await visitor.open(world.authorize_url(prompt="create")), **filled)
    assert said in page.text
    assert page.form.inputs["email"] == filled["email"].strip()
    assert page.form.inputs["display_name"] == filled["display_name"]
    assert page.form.inputs["password"] == ""
    assert page.form.marked == {"aria-invalid": [wrong], "autofocus": [wrong]}


async def test_someone_who_is_signed_in_may_make_another_account(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    assert "display_name" in (await visitor.open(world.authorize_url(prompt="create"))).form.inputs


async def test_sign_in_and_sign_up_lead_to_one_another(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url())
    page = await visitor.follow(page, "Create an account")
    assert "display_name" in page.form.inputs
    page = await visitor.follow(page, "I have an account")
    assert "display_name" not in page.form.inputs


async def test_the_code_page_masks_the_address_and_leads_to_the_inbox(world: World) -> None:
    _, page = await at_second_factor(world)
    assert "ad•••@example.com" in page.text
    assert "ada@example.com" not in page.text
    assert page.links["inbox"] == "/inbox"


async def test_reloading_the_code_page_sends_no_second_code(world: World) -> None:
    visitor, page = await at_second_factor(world)
    code = await visitor.newest_code("ada@example.com")
    await visitor.open(page.url)
    assert await visitor.newest_code("ada@example.com") == code


async def test_a_wrong_code_may_be_corrected(world: World) -> None:
    visitor, page = await at_second_factor(world)
    page = await visitor.submit(page, code="not-it")
    assert "That code isn't right" in page.text
    assert "code" in (await visitor.confirm(page)).answer


async def test_a_code_may_be_typed_with_spaces(world: World) -> None:
    visitor, page = await at_second_factor(world)
    code = await visitor.newest_code("ada@example.com")
    assert "state" in (await visitor.submit(page, code=f" {code[:4]} {code[4:]} ")).answer


async def test_after_five_wrong_tries_even_the_right_code_is_refused_until_a_new_one_is_sent(
    world: World,
) -> None:
    visitor, page = await at_second_factor(world)
    for _ in range(5):
        page = await visitor.submit(page, code="00")
    page = await visitor.confirm(page)
    assert "Too many tries" in page.text
    page = await visitor.follow(page, "Send a new code")
    assert "state" in (await visitor.confirm(page)).answer


async def test_a_code_expires_after_ten_minutes(world: World) -> None:
    visitor, page = await at_second_factor(world)
    world.clock.now += 601
    page = await visitor.confirm(page)
    assert "has expired" in page.text
    page = await visitor.follow(page, "Send a new code")
    assert "state" in (await visitor.confirm(page)).answer


async def test_a_code_works_once_and_only_on_its_own_flow(world: World) -> None:
    visitor, page = await at_second_factor(world)
    code = await visitor.newest_code("ada@example.com")
    other, other_page = await at_second_factor(world)
    assert "isn't right" in (await other.submit(other_page, code=code)).text
    await visitor.submit(page, code=code)
    world_over = await visitor.submit(page, code=code)
    assert "AADSTS9002313" in world_over.text


async def test_a_code_proves_nothing_about_someone_else_who_signed_in_meanwhile(world: World) -> None:
    visitor, page = await at_second_factor(world)
    adas_code = await visitor.newest_code("ada@example.com")
    # In another tab, with the same cookie jar, Grace signs in; then the first tab goes on.
    await visitor.sign_in(world.authorize_url(prompt="login"), "grace@example.com")
    refused = await visitor.submit(page, code=adas_code)
    assert "has expired" in refused.text
    page = await visitor.follow(refused, "Send a new code")
    assert "gr•••@example.com" in page.text
    assert "code" in (await visitor.confirm(page, "grace@example.com")).answer


async def test_cancel_answers_access_denied_at_every_step(world: World) -> None:
    visitor = world.visitor()
    sign_in = await visitor.open(world.authorize_url())
    sign_up = await visitor.open(world.authorize_url(prompt="create"))
    code = await visitor.sign_in(world.authorize_url(EDIT_SCOPE))
    picker = await visitor.open(world.authorize_url(prompt="select_account"))
    for page, seen in ((sign_in, "Sign in"), (sign_up, "Create"), (code, "Confirm"), (picker, "Choose")):
        assert seen in page.text
        answer = (await visitor.follow(page, "Cancel")).answer
        assert answer["error"] == "access_denied"
        assert answer["error_description"].startswith("AADSTS65004")
        assert answer["state"].startswith("state-")


async def test_a_code_can_not_be_given_before_the_password(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url(EDIT_SCOPE))
    skipped = await visitor.open(page.form.action.replace("/password", "/code"), {"code": "12345678"})
    assert "password" in skipped.form.inputs


async def test_a_flow_ends_after_an_hour(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url())
    world.clock.now += 3600
    assert "start again" in (await visitor.submit(page, email="ada@example.com", password="x")).text


def test_a_code_is_right_once() -> None:
    inbox = Inbox(clock=lambda: 0.0, ids=Ids())
    inbox.send("flow", "ada@example.com", "a purpose")
    code = inbox.messages[0].code
    assert inbox.check("flow", "ada@example.com", code) is Outcome.RIGHT
    assert inbox.check("flow", "ada@example.com", code) is Outcome.EXPIRED


async def test_a_flow_that_is_over_says_so(world: World) -> None:
    page = await world.visitor().open(f"/{TENANT_ID}/journeys/nothing")
    assert page.status == 400
    assert "start again" in page.text
    assert "AADSTS9002313" in page.text


async def test_the_inbox_is_a_page_for_people_and_json_for_programs(world: World) -> None:
    visitor, _ = await at_second_factor(world)
    code = await visitor.newest_code("ADA@example.com")
    page = await visitor.open("/inbox?to=ada@example.com")
    assert code in page.text
    assert "No codes yet" in (await visitor.open("/inbox?to=grace@example.com")).text
    answer = await world.ask(
        "GET", "/inbox", params={"to": "ada@example.com"}, headers={"Accept": "application/json"}
    )
    assert set(answer.body[0]) == {"code", "purpose", "sent_at"}
    everyones = await world.ask("GET", "/inbox", headers={"Accept": "application/json"})
    assert everyones.body == answer.body
    assert answer.body[0]["sent_at"].endswith("Z")


async def test_the_front_page_the_assets_and_liveness_answer(world: World) -> None:
    assert "Ada Lovelace" in (await world.ask("GET", "/")).body
    assert (await world.ask("GET", "/assets/tenant.css")).status == 200
    assert (await world.ask("GET", "/health/live")).body == {"status": "live"}
