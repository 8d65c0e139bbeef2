"""The client comes up, or says what keeps it from coming up: parts that are missing, blocked storage, no scripts."""

from collections import Counter

import pytest
from playwright.async_api import Page, Route, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext, PageFaults

# As a browser does that keeps nothing of this site.
_BLOCKED = """for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(window, name, {get() { throw new DOMException('blocked', 'SecurityError'); }});
}"""


async def gone(route: Route) -> None:
    """Answer as after a deployment that has no such file any more."""
    await route.fulfill(status=404, body="")


async def test_U17_a_part_that_was_deployed_away_reloads_the_page_once(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("sessions.js|unexpected-answer|Failed to fetch dynamically")
    ada = Person(page, stack)
    # Before any view is fetched ahead.
    await page.route("**/views/sessions.js", gone)
    await ada.has_signed_in()
    asked: Counter[str] = Counter()
    page.on(
        "request", lambda request: asked.update([request.url]) if request.is_navigation_request() else None
    )

    await ada.follows_menu("/sessions")
    await ada.sees_problem("unexpected-answer")
    assert asked == {f"{stack.gateway_url}/sessions": 1}

    await page.unroute("**/views/sessions.js")
    await page.reload()
    await ada.sees("sessions")


@pytest.mark.parametrize("part", ["app.js", "api.js", "words/en.js"])
async def test_U17_a_client_that_is_not_complete_says_so(
    page: Page, stack: Stack, page_faults: PageFaults, part: str
) -> None:
    page_faults.expect(part)
    await page.route(f"**/{part}", gone)

    await page.goto(stack.gateway_url)

    await expect(page.get_by_role("heading", name="This page didn")).to_be_visible()
    await expect(Person(page, stack).words("Loading…")).to_be_hidden()
    await page.unroute(f"**/{part}")
    await page.get_by_role("link", name="load the page again").click()
    await Person(page, stack).sees("signed-out")


async def test_U17_a_part_that_is_missing_for_a_moment_is_fetched_again(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("keeping.js")
    await page.route("**/keeping.js", gone, times=1)

    await page.goto(stack.gateway_url)

    await Person(page, stack).sees("signed-out")


@pytest.mark.parametrize("blocked, loads", [(False, 2), (True, 1)])
async def test_U17_a_part_that_never_comes_reloads_the_page_once_and_not_for_ever(
    page: Page, stack: Stack, page_faults: PageFaults, *, blocked: bool, loads: int
) -> None:
    if blocked:
        await page.add_init_script(_BLOCKED)
    page_faults.expect("keeping.js|unexpected-answer|Failed to fetch dynamically")
    asked: Counter[bool] = Counter()
    page.on("request", lambda request: asked.update([request.is_navigation_request()]))
    await page.route("**/keeping.js", gone)

    await page.goto(stack.gateway_url)

    await Person(page, stack).sees_problem("unexpected-answer")
    assert asked[True] == loads


async def test_U17_without_storage_the_whole_edit_still_works(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await page.add_init_script(_BLOCKED)
    await ada.signs_in()
    await page.get_by_role("contentinfo").get_by_text("Dark").click()
    await ada.confirms()
    await ada.edits(city="Turin")
    await ada.presses("Cancel")
    await ada.presses("Keep editing")

    await ada.presses("Save changes")
    await ada.sees("profile")

    assert await ada.held_by_graph("city") == "Turin"


async def test_U17_without_scripts_nothing_is_said_to_be_loading(
    new_context: NewContext, stack: Stack
) -> None:
    page = await (await new_context(java_script_enabled=False)).new_page()

    await page.goto(stack.gateway_url)

    await expect(Person(page, stack).words("Loading…")).to_be_hidden()
    await expect(Person(page, stack).words("load the page again")).to_be_hidden()
