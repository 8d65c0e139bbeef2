"""Recent activity: a person sees what was done with their account, and ends what was not theirs."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from devstack.stack import Stack
from tests.real.journeys.activity_answers import (
    ENTRIES,
    MARKUP,
    NOT_ME,
    PASSWORDS,
    every_kind_of_entry,
    no_entries,
    with_a_place_for_passwords,
)
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults
from tests.stage.other_front_end import OtherFrontEnd


async def test_A6_U37_a_person_sees_what_was_done_and_ends_all_that_was_not_theirs(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await page.route("**/api/session", with_a_place_for_passwords)
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as stranger:
        await stranger.sign_in((ada.email, ada.password))
        await ada.has_confirmed()
        await ada.edits(city="Turin", jobTitle="Countess")
        await ada.presses("Save changes")
        await ada.sees("profile")

        await ada.follows_menu("/activity")
        await ada.sees("activity")

        entries = page.locator(".session")
        await expect(entries.locator("h2")).to_have_text(
            [
                "Profile change: Job title, CityThis browser",
                "Confirmation with a codeThis browser",
                "Sign-inThis browser",
                "Sign-in",
            ]
        )
        await expect(entries.first).to_contain_text(
            re.compile(r"just now, .+ · 127\.0\.0\.0/24 · .*[0-9A-Z]{4}-[0-9A-Z]{4}")
        )
        await expect(page.locator("main")).not_to_contain_text("Turin")

        await ada.presses(NOT_ME)
        question = page.get_by_role("alertdialog", name=NOT_ME)
        await expect(question).to_contain_text("Ends every session but this one. You stay signed in here.")
        await page.keyboard.press("Escape")
        await expect(question).to_have_count(0)
        assert (await stranger.call("GET", "/api/session")).body["authenticated"] is True, "only looked at"
        await expect(page.get_by_role("button", name=NOT_ME)).to_be_focused()

        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")

        await expect(page.locator(".notice")).to_be_focused()
        await expect(page.locator(".notice")).to_contain_text("You\u2019re now signed in only here.")
        assert (await stranger.call("GET", "/api/session")).body["authenticated"] is False
    await expect(page.get_by_role("link", name="Change your password")).to_have_attribute("href", PASSWORDS)
    await expect(entries.first).to_contain_text("1 session ended")

    await ada.presses("Refresh")

    await expect(page.locator(".notice")).to_have_count(0)
    await expect(page.locator("h1")).to_be_focused()


@pytest.mark.parametrize(
    "status, slug, told",
    [
        (429, "too-many-requests", "You can try again in 40 seconds."),
        (503, "session-store-unavailable", "The place where sessions are kept"),
        (0, "unreachable", "no answer came from us"),
    ],
)
async def test_A6_sessions_that_could_not_be_ended_are_not_told_as_ended(
    page: Page, stack: Stack, page_faults: PageFaults, *, status: int, slug: str, told: str
) -> None:
    page_faults.expect("net::ERR_FAILED")
    ada = Person(page, stack)
    await ada.has_signed_in("/activity", "activity")

    async def refuses(route: Route) -> None:
        if not status:
            return await route.abort()
        headers = {"Content-Type": "application/problem+json", "Retry-After": "40"}
        return await route.fulfill(status=status, headers=headers, body=f'{{"type": "/problems/{slug}"}}')

    await page.route("**/api/sessions", refuses)
    await ada.presses(NOT_ME)
    await ada.presses("Sign out everywhere else")

    await ada.sees_problem(slug)
    await expect(page.get_by_role("alert")).to_contain_text(told)
    await expect(page.locator("main")).not_to_contain_text("signed in only here")
    await expect(page.locator("main")).not_to_contain_text("Nothing was changed")  # some may have ended
    await expect(page.locator(".session")).to_have_count(1)


async def test_A6_S56_entries_of_every_kind_are_told_in_plain_words_and_odd_ones_as_text(
    page: Page, stack: Stack
) -> None:
    await page.route("**/api/activity", every_kind_of_entry)
    await Person(page, stack).has_signed_in("/activity", "activity")

    entries = page.locator(".session")
    await expect(entries).to_have_count(len(ENTRIES))
    for number, words in enumerate(
        (
            "Profile change: City, Preferred language, Street address, Family nameThis browser",
            "It isn\u2019t known whether it was saved",
            "Failed, and nothing was changed: The profile service isn\u2019t answering",
            "Not done: You didn\u2019t confirm",
            "Unknown browser · 2001:db8:12:3400::/56",
            "3 sessions endedYou were signed out because an administrator ended your sessions.",
            "Sign-out",
            "Account created",
            MARKUP,
        )
    ):
        await expect(entries.nth(number)).to_contain_text(words)
    assert await page.locator(".session :is(img, script)").count() == 0
    await expect(page).to_have_title("Recent activity \u2013 Stepup")
    await page.route("**/api/activity", no_entries)
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.locator(".notice")).to_have_text("Nothing has been noted yet.")


async def test_A6_whoever_was_signed_out_meanwhile_is_told_and_comes_back_to_the_list(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    async with page.expect_response("**/api/session/events"):  # which brings the reason
        await ada.has_signed_in("/activity", "activity")
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as elsewhere:
        await elsewhere.sign_in((ada.email, ada.password))
        await elsewhere.call("DELETE", "/api/sessions")
    await ada.sees("signed-out")
    await expect(page.get_by_role("status").first).to_contain_text(
        "you ended this session from another browser"
    )

    await ada.presses("Sign in")
    if await ada.is_asked_for("password", or_for="main[data-screen=activity]"):
        await ada.types_password()

    await ada.sees("activity")
    await expect(page.locator("[data-event=session-end]")).to_be_visible()
