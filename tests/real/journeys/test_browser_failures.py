"""What can go wrong between a person and the gateway: each told apart, in words, with everything typed still there."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from devstack.stack import Stack
from tests.real.journeys.answers import never
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults


async def about_to_save(page: Page, stack: Stack) -> Person:
    """Ada with one change in the form."""
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    return ada


def problem(slug: str, status: int, retry_after: int = 0, **members: object) -> dict[str, Any]:
    """An answer of the gateway's."""
    return {
        "status": status,
        "headers": {
            "Content-Type": "application/problem+json",
            **({"Retry-After": str(retry_after)} if retry_after else {}),
        },
        "body": json.dumps({"type": f"/problems/{slug}", **members}),
    }


UNHEARD_OF = problem("not-of-this-release", 400, title="A new fault", detail="Told by the server.")
# Of a proxy on the way, and of a network that wants a password first.
HTML_502 = {"status": 502, "content_type": "text/html", "body": "<h1>Bad gateway</h1>"}
HTML_200 = {"status": 200, "content_type": "text/html", "body": "<h1>Sign in to the hotel</h1>"}


@pytest.mark.parametrize(
    "answer, slug, words",
    [
        (problem("too-many-requests", 429, 90), "too-many-requests", "You can try again in 90 seconds."),
        (problem("resource-unavailable", 502, 5), "resource-unavailable", "your changes are kept"),
        (problem("resource-unavailable", 502, outcome="unknown"), "resource-unavailable", "know yet whether"),
        (problem("session-store-unavailable", 503, 5), "session-store-unavailable", "You stay signed in"),
        (problem("misconfigured", 500, reference="7K2M"), "misconfigured", "7K2M"),
        (problem("access-blocked", 403), "access-blocked", "Ask your administrator"),
        (UNHEARD_OF, "not-of-this-release", "Told by the server."),
        (HTML_502, "unexpected-answer", "read the answer"),
        (HTML_200, "unexpected-answer", "know yet whether"),
    ],
)
async def test_U11_each_failure_of_a_save_has_its_own_words_and_keeps_what_was_typed(
    page: Page, stack: Stack, answer: dict[str, Any], slug: str, words: str
) -> None:
    ada = await about_to_save(page, stack)

    async def fail(route: Route) -> None:
        await route.fulfill(**answer)

    await page.route("**/api/profile", fail)

    await ada.presses("Save changes")

    await ada.sees_problem(slug)
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text(words)
    await expect(page.locator("[name=city]")).to_have_value("Turin")
    assert "Bad gateway" not in await page.content()


async def test_U11_offline_is_told_as_such_and_trying_again_saves(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("ERR_INTERNET_DISCONNECTED")
    ada = await about_to_save(page, stack)
    await ada.loses_the_connection()
    await ada.presses("Save changes")
    await ada.sees_problem("offline")

    await page.context.set_offline(False)
    await ada.presses("Save changes")

    await ada.sees("confirm")


async def test_U11_no_answer_within_ten_seconds_is_told_as_such(page: Page, stack: Stack) -> None:
    await page.clock.install()
    ada = await about_to_save(page, stack)
    await page.route("**/api/profile", never)
    async with page.expect_request("**/api/profile"):
        await ada.presses("Save changes")

    await page.clock.fast_forward(9_000)
    await expect(page.get_by_role("button", name="Saving…")).to_be_visible()
    await page.clock.fast_forward(2_000)

    await ada.sees_problem("timeout")
    await expect(page.get_by_role("alert")).to_contain_text("the same change is never made twice")
