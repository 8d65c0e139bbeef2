"""Step-up and edits in a real browser when something is wrong: the person learns what, and loses nothing."""

import os
import signal

from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext
from tests.stage.other_front_end import ADA
from tests.stage.tenant import API

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


async def confirmed(page: Page, stack: Stack) -> Person:
    """Ada at the form, confirmed."""
    ada = Person(page, stack)
    await ada.has_confirmed()
    return ada


async def saves_again(ada: Person, city: str) -> None:
    """Save what still stands in the form."""
    await expect(ada.page.locator("[name=city]")).to_have_value(city)
    await ada.presses("Save changes")
    await ada.sees("profile")
    assert await ada.held_by_graph("city") == city


async def test_a_confirmation_that_ends_midway_keeps_what_was_written(page: Page, stack: Stack) -> None:
    ada = await confirmed(page, stack)
    await ada.edits(city="Turin")
    await ada.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "claims": CLAIMS, "times": 1})
    await ada.presses("Save changes")
    await ada.sees("confirm")
    await ada.presses("Continue")
    if await ada.is_asked_for("code", or_for="main[data-screen=check]"):
        await ada.types_code()
    await ada.sees("check")
    await ada.presses("Save changes")
    await ada.sees("profile")

    assert await ada.held_by_graph("city") == "Turin"
    assert "acrs" not in page.url


async def test_a_policy_that_blocks_is_explained_and_offers_no_loop(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.admin("PUT", f"/policies/{API}", {"mfa": "blocked"})
    await ada.edits(city="Turin")
    await ada.presses("Save changes")

    await ada.sees_problem("access-blocked")

    assert await page.get_by_role("button", name="Continue", exact=True).count() == 0
    assert await ada.held_by_graph("city") == "London"


async def test_a_missing_consent_is_told_with_a_reference_and_never_a_redirect(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.admin("PUT", "/faults/token.refresh_token", {"aadsts": 65001, "times": 5})
    await ada.edits(city="Turin")
    await ada.presses("Save changes")

    await ada.sees_problem("misconfigured")

    problem = page.locator('[data-problem="misconfigured"]')
    await expect(problem).to_contain_text("eference")
    assert page.url.startswith(stack.gateway_url)
    assert "AADSTS" not in await page.content()


async def test_confirming_in_vain_ends_in_an_explanation(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.admin("PUT", "/faults/token.on_behalf_of", {"aadsts": 50076, "times": 99})
    await ada.edits(city="Turin")
    await ada.presses("Save changes")
    for _ in range(3):
        await ada.sees("confirm")
        await ada.presses("Continue")
        if await ada.is_asked_for("code", or_for="main[data-screen=check]"):
            await ada.types_code()
        await ada.sees("check")
        await ada.presses("Save changes")

    await ada.sees_problem("step-up-loop")

    await ada.admin("DELETE", "/faults")
    assert await ada.held_by_graph("city") == "London"


async def test_an_authority_that_is_away_loses_neither_session_nor_edit(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    before = await ada.session_cookies()
    # The client asks once more by itself, as the edit has an Idempotency-Key.
    await ada.admin("PUT", "/faults/token.refresh_token", {"status": 503, "retry_after": 1, "times": 2})
    await ada.edits(city="Turin")
    await ada.presses("Save changes")

    await ada.sees_problem("authority-unavailable")

    assert await ada.session_cookies() == before
    await expect(page.locator("[name=city]")).to_have_value("Turin")
    await expect(ada.words("You can try again now.")).to_be_visible()
    await ada.presses("Save changes")
    await ada.sees("confirm")


async def test_graph_in_trouble_says_what_became_of_the_edit(page: Page, stack: Stack) -> None:
    ada = await confirmed(page, stack)
    await ada.edits(city="Turin")
    await ada.admin("PUT", "/faults/graph.patch_me", {"status": 500, "times": 9})
    await ada.presses("Save changes")

    await ada.sees_problem("resource-unavailable")

    await ada.admin("DELETE", "/faults")
    await saves_again(ada, "Turin")


async def test_a_change_made_elsewhere_is_shown_field_by_field(
    page: Page, stack: Stack, new_context: NewContext
) -> None:
    ada = await confirmed(page, stack)
    elsewhere = await confirmed(await (await new_context()).new_page(), stack)
    await ada.edits(city="Turin", jobTitle="Countess")
    await elsewhere.edits(city="Ockham")
    await elsewhere.presses("Save changes")
    await elsewhere.sees("profile")

    await ada.presses("Save changes")

    await ada.sees("check")
    for text in ("Turin", "Ockham", "Countess"):
        await expect(page.locator("main")).to_contain_text(text)
    assert await ada.held_by_graph("city") == "Ockham"
    assert await ada.held_by_graph("jobTitle") == "Analyst"


async def test_a_session_revoked_while_writing_keeps_the_draft_for_the_same_person(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    await ada.admin("POST", f"/people/{ADA[0]}/revoke")
    await ada.presses("Save changes")
    await ada.sees("signed-out")
    await expect(page.locator("main")).to_contain_text("draft is kept")

    await ada.presses("Sign in")
    if await ada.is_asked_for("password", or_for="main[data-screen=edit]"):
        await ada.types_password()
    await ada.sees("edit")

    await expect(page.locator("[name=city]")).to_have_value("Turin")


async def test_the_session_store_away_signs_nobody_out(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    before = await ada.session_cookies()
    store = stack.parts["valkey"].child.pid
    assert store is not None

    os.kill(store, signal.SIGSTOP)
    try:
        await ada.opens()
        await ada.sees_problem("session-store-unavailable")
    finally:
        os.kill(store, signal.SIGCONT)
    await ada.tries_again_until("profile")

    assert await ada.session_cookies() == before


async def test_sessions_are_listed_and_ended_in_the_browser(
    page: Page, stack: Stack, new_context: NewContext
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    elsewhere = Person(await (await new_context()).new_page(), stack)
    await elsewhere.has_signed_in()

    await ada.opens("/sessions")
    await ada.sees("sessions")
    await expect(page.locator("[data-session]")).to_have_count(2)
    await page.locator("[data-session=other] button").click()
    await expect(page.locator("[data-session]")).to_have_count(1)

    await elsewhere.opens()
    await elsewhere.sees("signed-out")
