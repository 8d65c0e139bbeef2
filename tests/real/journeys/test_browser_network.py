"""A network that changes, refuses or is slow: tried again, told as what it is, and no old screen for a new one."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from devstack.stack import Stack
from tests.real.journeys.answers import never
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults


class Trouble:
    """Lets the first requests fail as a network does that changes, and counts all."""

    def __init__(self, times: int, reason: str = "connectionrefused") -> None:
        self.times = times
        self.reason = reason
        self.asked = 0

    async def __call__(self, route: Route) -> None:
        """Fail, or let through."""
        self.asked += 1
        if self.asked <= self.times:
            await route.abort(self.reason)
        else:
            await route.continue_()


@pytest.mark.parametrize(
    "part, times",
    [
        ("app.js", 1),
        ("api.js", 2),
        ("words/en.js", 1),
        ("page.css", 1),
        ("views/problem.js", 1),
    ],
)
async def test_X10_a_network_that_changes_during_the_load_is_tried_again(
    page: Page, stack: Stack, page_faults: PageFaults, part: str, times: int
) -> None:
    page_faults.expect("ERR_FAILED|ERR_INTERNET|ERR_CONNECTION|Failed to fetch|preload|status of 404")
    trouble = Trouble(times, "failed")
    await page.route(f"**/{part}", trouble)

    has_a_view = part.startswith("views/")
    await page.goto(stack.gateway_url + ("/no-such-page" if has_a_view else "/"))

    await Person(page, stack).sees("not-found" if has_a_view else "signed-out")
    assert trouble.asked > times or part == "page.css"


async def test_X10_a_page_that_lost_its_connection_while_loading_goes_on_when_it_is_back(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("")
    await page.add_init_script(
        "Object.defineProperty(navigator, 'onLine', {get: () => false, configurable: true});"
    )
    await page.route("**/app.js", Trouble(99, "internetdisconnected"))
    await page.goto(stack.gateway_url)
    await expect(page.get_by_role("heading", name="This page didn")).to_be_visible()

    await page.unroute("**/app.js")
    await page.evaluate("dispatchEvent(new Event('online'))")

    await Person(page, stack).sees("signed-out")


@pytest.mark.parametrize("path", ["/api/session", "/api/profile"])
async def test_X10_X11_the_first_look_that_is_refused_is_quietly_repeated(
    page: Page, stack: Stack, page_faults: PageFaults, path: str
) -> None:
    page_faults.expect("ERR_CONNECTION_REFUSED")
    ada = Person(page, stack)
    await ada.has_signed_in()
    trouble = Trouble(1)
    await page.route(f"**{path}", trouble)

    await ada.opens()

    await ada.sees("profile")
    assert trouble.asked >= 2


async def test_X11_a_look_that_is_refused_twice_is_not_told_as_being_offline(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("ERR_CONNECTION_REFUSED")
    ada = Person(page, stack)
    await ada.has_signed_in()
    trouble = Trouble(2)
    await page.route("**/api/sessions", trouble)

    await ada.follows_menu("/sessions")

    await ada.sees_problem("unreachable")
    await expect(page.locator("h1")).to_contain_text("be reached")
    assert trouble.asked == 2
    await ada.presses("Try again")
    await ada.sees("sessions")


async def test_X11_a_change_that_is_refused_is_not_sent_again_by_itself(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("ERR_CONNECTION_REFUSED")
    ada = Person(page, stack)
    await ada.has_confirmed()
    await ada.edits(city="Turin")
    trouble = Trouble(1)
    await page.route("**/api/profile", trouble)

    await ada.presses("Save changes")

    await ada.sees_problem("unreachable")
    assert trouble.asked == 1
    await ada.presses("Save changes")
    await ada.sees("profile")


async def test_X11_a_page_that_is_offline_says_so_and_goes_on_by_itself(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("ERR_INTERNET_DISCONNECTED")
    ada = Person(page, stack)
    await ada.has_signed_in()
    await ada.follows_menu("/sessions")
    await ada.sees("sessions")
    await ada.loses_the_connection()
    await ada.goes_to("/sign-in-details")
    await ada.sees_problem("offline")

    await page.context.set_offline(False)

    await ada.sees("claims")


@pytest.mark.parametrize(
    "path, api",
    [("/sessions", "/api/sessions"), ("/sign-in-details", "/api/session/claims"), ("/edit", "/api/profile")],
)
async def test_X12_a_screen_that_is_slow_to_come_shows_a_sign_of_life_and_not_the_old_one(
    page: Page, stack: Stack, path: str, api: str
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    answered = asyncio.Event()

    async def slowly(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route(f"**{api}", slowly)
    await ada.goes_to(path)

    await expect(page.locator("main .loading")).to_have_text("Loading…")
    await expect(page.locator("#status")).to_have_text("Loading…")
    await expect(page.locator("main[aria-busy=true]")).to_be_attached()
    await expect(page.get_by_role("heading", name="Hello, Ada Lovelace")).to_have_count(0)
    await expect(page).to_have_title(re.compile("^Loading… "))
    answered.set()
    await expect(page.locator("main:not([aria-busy]) h1")).to_be_focused()
    await expect(page.locator("main .loading")).to_have_count(0)


async def test_X12_what_never_comes_ends_in_a_problem_and_back_leads_back(page: Page, stack: Stack) -> None:
    await page.clock.install()
    ada = Person(page, stack)
    await ada.has_signed_in()
    await page.route("**/api/sessions", never)
    await ada.goes_to("/sessions")
    await expect(page.locator("main .loading")).to_be_visible()

    await page.go_back()

    await ada.sees("profile")
    async with page.expect_request("**/api/sessions"):
        await page.go_forward()
    await page.clock.fast_forward(9_000)
    await expect(page.locator("main .loading")).to_be_visible()
    await page.clock.fast_forward(2_000)
    await ada.sees_problem("timeout")


async def test_X12_a_screen_that_comes_at_once_never_says_that_it_is_loading(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    await ada.has_all_views()
    await page.evaluate(
        """() => new MutationObserver(() => {
            if (document.querySelector('main .loading')) window.flickered = true;
        }).observe(document.body, {childList: true, subtree: true})"""
    )
    await ada.goes_to("/no-such-page")
    await ada.sees("not-found")

    assert await page.evaluate("window.flickered") is None
