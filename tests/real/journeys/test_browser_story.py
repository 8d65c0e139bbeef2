"""The product's story in a real browser, with the tenant on another site (127.0.0.1) than the gateway (localhost)."""

import re

from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import EDIT_FIELDS, Person
from tests.stage.browser import NewContext
from tests.stage.other_front_end import ADA, GRACE


async def test_a_person_signs_up_and_sees_a_profile(page: Page, stack: Stack) -> None:
    hedy = Person(page, stack, "hedy@example.com", "Frequency-Hopping-1942")
    await hedy.opens()
    await hedy.presses("Create an account")
    await page.fill("input[name=email]", hedy.email)
    await page.fill("input[name=password]", hedy.password)
    await page.fill("input[name=display_name]", "Hedy Lamarr")
    await page.click("button[type=submit]")
    if await hedy.is_asked_for("code", or_for="main[data-screen=profile]"):
        await hedy.types_code()

    await hedy.sees("profile")

    await expect(page.locator("main")).to_contain_text("Hedy Lamarr")
    await expect(page.locator("main")).to_contain_text("Not set")


async def test_a_person_signs_in_and_sees_the_profile(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.signs_in()

    for text in ("Ada Lovelace", "Analyst", "London", "SW1Y 4JH", "ada@example.com"):
        await expect(page.locator("main")).to_contain_text(text)
    assert await ada.codes() == [], "looking asks for no second factor"


async def test_U7_U8_edit_asks_for_the_second_factor_first_and_once(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.signs_in()
    before = await ada.session_cookies()
    await ada.presses("Edit profile")
    await ada.sees("confirm")
    await expect(page.locator("main")).to_contain_text("ad•••@example.com")
    await ada.presses("Continue")
    await ada.types_code()
    await ada.sees("edit")
    assert await ada.session_cookies() != before, "a new session id after step-up"
    for name in EDIT_FIELDS:
        await expect(page.locator(f"[name={name}]")).to_be_visible()

    await ada.edits(jobTitle="Countess", city="Marylebone")
    await ada.presses("Save changes")
    await ada.sees("profile")
    await expect(page.locator("main")).to_contain_text("Marylebone")
    assert await ada.held_by_graph("jobTitle") == "Countess"

    await ada.presses("Edit profile")
    await ada.sees("edit")
    await ada.edits(city="Ockham")
    await ada.presses("Save changes")
    await ada.sees("profile")
    await expect(page.locator("main")).to_contain_text("Ockham")
    assert len(await ada.codes()) == 1, "a second edit asks for no second code"


async def test_U6_U7_an_edit_that_meets_step_up_comes_back_with_its_changes(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in(
        "/edit", "edit"
    )  # straight to the form, so that saving is what meets the challenge
    await ada.edits(city="Turin", postalCode="10123")
    await ada.presses("Save changes")

    await ada.sees("confirm")
    await expect(page.locator("main")).to_contain_text("2 changes")
    assert await ada.held_by_graph("city") == "London"
    await ada.presses("Continue")
    await ada.types_code()
    await ada.sees("check")
    for text in ("London", "Turin", "10123"):
        await expect(page.locator("main")).to_contain_text(text)
    assert await ada.held_by_graph("city") == "London", "nothing replays by itself"

    await ada.presses("Save changes")
    await ada.sees("profile")

    await expect(page.locator("main")).to_contain_text("Turin")
    assert await ada.held_by_graph("postalCode") == "10123"
    kept = await page.evaluate("JSON.stringify({...sessionStorage})")
    assert "Turin" not in kept, "the draft is gone once saved"


async def test_mfa_cancelled_loses_nothing(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    await ada.presses("Save changes")
    await ada.presses("Continue")
    await page.wait_for_selector("input[name=code]")
    await page.get_by_role("link", name="Cancel").click()
    await ada.sees_problem("step-up-cancelled")
    assert len(await ada.session_cookies()) == 1

    await page.goto(f"{stack.gateway_url}/edit")
    await ada.sees("edit")

    await expect(page.locator("[name=city]")).to_have_value("Turin")
    assert await ada.held_by_graph("city") == "London"


async def test_another_person_at_step_up_is_refused(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    before = await ada.session_cookies()
    await page.context.clear_cookies(domain="127.0.0.1")  # the tenant has forgotten her; Grace sits down
    await ada.presses("Edit profile")
    await ada.presses("Continue")
    grace = Person(page, stack, *GRACE)
    await grace.types_password()
    await grace.types_code()

    await ada.sees_problem("different-person")

    assert await ada.session_cookies() == before
    await ada.opens()
    await ada.sees("profile")
    await expect(page.locator("main")).to_contain_text("Ada Lovelace")


async def test_S13_S18_S54_sign_out_is_complete(page: Page, stack: Stack, new_context: NewContext) -> None:
    ada = Person(page, stack)
    await ada.signs_in()
    (old,) = await ada.session_cookies()

    await ada.signs_out()

    assert await ada.session_cookies() == []
    await page.go_back(wait_until="commit")
    # Back may lead to the tenant's page, which sends the person on to the first page again.
    await page.wait_for_url(f"{stack.gateway_url}/")
    await ada.sees("signed-out")
    await expect(page.locator("body")).not_to_contain_text("SW1Y 4JH")
    thief = await (await new_context()).new_page()
    answer = await thief.request.get(
        f"{stack.gateway_url}/api/profile",
        headers={"X-CSRF": "1", "Cookie": f"__Host-Http-session={old}"},
    )
    assert answer.status == 401
    await ada.opens()
    await ada.presses("Sign in")
    await page.wait_for_selector("input[name=password]")  # the tenant's session ended as well


async def test_a_sign_out_at_the_tenant_reaches_the_gateway(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()

    await ada.admin("POST", f"/people/{ADA[0]}/sign-out")

    await ada.opens()
    await ada.sees("signed-out")


async def test_two_tabs_do_not_disturb_each_other(page: Page, stack: Stack) -> None:
    first = Person(page, stack)
    second = Person(await page.context.new_page(), stack)
    await first.opens()
    await second.opens()
    await first.presses("Sign in")
    await page.wait_for_selector("input[name=password]")
    await second.presses("Sign in")
    await second.types_password()
    await second.sees("profile")
    await first.types_password()
    await first.sees("profile")

    # Both step up, in the order in which they did not begin.
    await first.presses("Edit profile")
    await first.sees("confirm")
    await second.presses("Edit profile")
    await second.presses("Continue")
    await second.types_code()
    await second.sees("edit")
    await second.edits(city="Turin")
    await first.presses("Continue")
    await first.sees("edit")
    await first.edits(surname="King")
    await first.presses("Save changes")
    await first.sees("profile")
    await second.presses("Save changes")
    await second.sees("check")  # changed elsewhere
    assert await first.held_by_graph("surname") == "King"


async def test_the_claims_page_shows_the_id_token_and_no_token(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)

    await ada.has_signed_in("/sign-in-details", "claims")

    await expect(page.locator("main")).to_contain_text("preferred_username")
    assert not re.search(r"eyJ[\w-]{10,}\.", await page.content())


async def test_S12_page_script_can_neither_read_nor_make_the_session_cookie(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.signs_in()

    assert await page.evaluate("document.cookie") == ""
    await page.evaluate("document.cookie = '__Host-Http-session=planted; Secure; Path=/'")

    assert "planted" not in await ada.session_cookies()
