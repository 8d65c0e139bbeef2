"""Back in the browser, after the authority: it leads where the person wants to be, and repeats nothing."""

import asyncio

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.real.journeys.test_browser_tabs import posts_a_stale_answer
from tests.stage.patience import PATIENCE

OURS = ("profile", "edit", "confirm", "check", "signed-out", "problem")


async def waits_to_save(page: Page, stack: Stack) -> Person:
    """Ada, signed in, with a change that a step-up interrupted, and confirmed."""
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    await ada.presses("Save changes")
    await ada.presses("Continue")
    await ada.types_code()
    await ada.sees("check")
    return ada


async def presses_back(page: Page) -> None:
    """Press Back; again where Chromium was about to give the page to another process, and had no history to ask."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await page.go_back(wait_until="commit")
            except PlaywrightError as error:
                if "Not attached to an active page" not in error.message:
                    raise
                await asyncio.sleep(0.1)  # a page of the browser's own, as of an error, has loaded already
            else:
                return


async def goes_back(ada: Person) -> str:
    """Press Back; return the screen that is shown, or the address of a page that is not ours.

    The authority's form that brings its answer may be in the history, if it was not sent before it had loaded. It came
    by POST itself, so the browser asks whether to send that again, and shows a page of its own.
    """
    try:
        await presses_back(ada.page)
        await ada.page.wait_for_load_state()
    except PlaywrightError as error:
        if "net::ERR_CACHE_MISS" in error.message:
            return "the browser's own question"
        raise
    if ada.page.url.startswith(ada.stack.gateway_url):
        return await ada.sees_one_of(*OURS)
    return ada.page.url


async def test_D6_an_answer_that_comes_again_leads_a_confirmed_person_to_the_change_that_waits(
    page: Page, stack: Stack
) -> None:
    ada = await waits_to_save(page, stack)

    await posts_a_stale_answer(ada)

    await ada.sees("check")
    assert ada.page.url == f"{stack.gateway_url}/check"


async def test_D6_back_after_a_step_up_never_ends_in_a_problem(page: Page, stack: Stack) -> None:
    ada = await waits_to_save(page, stack)

    screens = [await goes_back(ada) for _ in range(3)]

    assert "problem" not in screens, screens
    assert await ada.held_by_graph("city") == "London", "and nothing was saved by it"


async def test_D6_back_after_a_sign_in_never_ends_in_a_problem(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.signs_in()

    screens = [await goes_back(ada) for _ in range(2)]

    assert "problem" not in screens, screens
