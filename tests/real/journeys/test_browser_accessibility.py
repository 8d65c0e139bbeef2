"""The story by keyboard alone, by ear, without motion and in the colours of one's own choice."""

import asyncio
from typing import Final

from playwright.async_api import Page, Route, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext, PageFaults

# Where the keyboard is, by the words that a person reads there.
_HERE: Final = """() => {
    const one = document.activeElement;
    return one?.labels?.[0]?.textContent.trim() || one?.textContent.trim() || '';
}"""

# Everything that a screen reader is told without being asked, in order.
_LISTEN: Final = """() => {
    globalThis.announced = [];
    new MutationObserver(() => {
        for (const line of document.querySelectorAll('[role=status], [role=alert]')) {
            const words = line.textContent.trim();
            if (words && words !== globalThis.announced.at(-1)) globalThis.announced.push(words);
        }
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""

_LASTING: Final = """() => [...document.querySelectorAll('*')]
    .flatMap((one) => [one, '::before', '::after'].map((part) => part === one
        ? getComputedStyle(one) : getComputedStyle(one, part)))
    .filter((style) => [style.animationDuration, style.transitionDuration].join()
        .split(',').some((time) => parseFloat(time) > 0.0011)).length"""


async def tabs_to(page: Page, words: str) -> None:
    """Press Tab until the focus is where these words are."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if words in await page.evaluate(_HERE):
            return
    raise AssertionError(f"Tab never comes to {words!r}")


async def test_U5_the_whole_story_by_keyboard(page: Page, stack: Stack) -> None:
    ada, press = Person(page, stack), page.keyboard.press
    await ada.opens()
    await ada.sees("signed-out")
    await tabs_to(page, "Sign in")
    await press("Enter")
    await page.wait_for_selector("input[name=email]")
    await page.focus("input[name=email]")
    await page.keyboard.type(ada.email)
    await press("Tab")
    await page.keyboard.type(ada.password)
    await press("Enter")
    await ada.sees("profile")
    await tabs_to(page, "Edit profile")
    await press("Enter")
    await ada.sees("confirm")
    await tabs_to(page, "Continue")
    await press("Space")
    await page.wait_for_selector("input[name=code]")
    await page.focus("input[name=code]")
    await page.keyboard.type((await ada.codes())[0]["code"])
    await press("Enter")
    await ada.sees("edit")
    await tabs_to(page, "Job title")
    await press("Control+A")
    await page.keyboard.type("Countess")
    await tabs_to(page, "Country or region")
    await press("Control+A")
    await page.keyboard.type("ital")
    await press("ArrowDown")
    await press("Enter")
    await tabs_to(page, "Save changes")
    await press("Enter")
    await ada.sees("profile")
    assert await ada.held_by_graph("jobTitle") == "Countess"
    assert await ada.held_by_graph("country") == "Italy"

    await page.reload()
    await ada.sees("profile")
    await tabs_to(page, "Ada Lovelace")
    await press("Enter")
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await press("Escape")
    await expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    await expect(page.get_by_role("button", name="Ada Lovelace")).to_be_focused()
    await press("Enter")
    await tabs_to(page, "Sign out")
    await press("Enter")
    await ada.sees("signed-out")


async def test_U5_the_skip_link_leads_to_the_content(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.opens()
    await ada.sees("signed-out")

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.locator("h1")).to_be_focused()


async def test_U1_every_move_names_the_page_and_takes_the_focus_to_its_heading(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("404.*no-such-page")
    ada = Person(page, stack)
    await ada.has_signed_in()
    titles = [await page.title()]
    for path, screen in (
        ("/sessions", "sessions"),
        ("/activity", "activity"),
        ("/sign-in-details", "claims"),
    ):
        await ada.follows_menu(path)
        await ada.sees(screen)
        await expect(page.locator("h1")).to_be_focused()
        titles.append(await page.title())
    await ada.presses("Stepup")
    await ada.sees("profile")
    await expect(page.locator("h1")).to_be_focused()
    await ada.presses("Edit profile")
    await ada.sees("confirm")
    await expect(page.locator("h1")).to_be_focused()
    titles.append(await page.title())
    await page.go_back()
    await ada.sees("profile")
    await expect(page.locator("h1")).to_be_focused()
    await ada.opens("/no-such-page")
    await ada.sees("not-found")
    titles.append(await page.title())

    assert len(set(titles)) == len(titles)
    assert all(title.endswith("Stepup") for title in titles)
    assert titles[-1].startswith("Error: ")


async def test_U1_back_leads_to_the_place_that_was_left(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await page.set_viewport_size({"width": 1280, "height": 500})
    await ada.has_signed_in()
    await expect(page.locator("main")).to_contain_text("SW1Y 4JH")
    await page.evaluate("scrollTo(0, 400)")
    await page.wait_for_function("() => scrollY === 400")

    await page.evaluate("document.querySelector('nav a[href=\"/sessions\"]').click()")
    await ada.sees("sessions")
    assert await page.evaluate("scrollY") == 0
    await page.go_back()
    await ada.sees("profile")

    await page.wait_for_function("() => scrollY === 400")


async def test_U4_saving_is_told_while_it_runs_and_when_it_is_done(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_confirmed()
    go_on = asyncio.Event()
    sent: list[str] = []

    async def slow(route: Route) -> None:
        if route.request.method == "PATCH":
            sent.append(route.request.headers["idempotency-key"])
            await go_on.wait()
        await route.continue_()

    await page.route("**/api/profile", slow)
    await page.evaluate(_LISTEN)
    await ada.edits(city="Turin")

    save = page.get_by_role("button", name="Save changes")
    await save.dblclick()
    busy = page.get_by_role("button", name="Saving…")
    await expect(busy).to_be_focused()
    await expect(busy).to_have_attribute("aria-disabled", "true")
    await page.keyboard.press("Enter")
    await page.wait_for_function("() => globalThis.announced.includes('Saving…')")
    go_on.set()
    await ada.sees("profile")
    await page.wait_for_function("() => globalThis.announced.some((words) => words.startsWith('Saved at '))")

    assert len(sent) == 1, "three presses are one change"
    await expect(page.locator("[data-field=city]")).to_contain_text("Just changed")
    await expect(page.locator("[data-field=state]")).not_to_contain_text("Just changed")


async def test_U15_who_wants_less_motion_gets_none(new_context: NewContext, stack: Stack) -> None:
    ada = Person(await (await new_context(reduced_motion="reduce")).new_page(), stack)
    await ada.has_signed_in()
    await ada.opens_menu()
    assert await ada.page.evaluate(_LASTING) == 0

    await ada.page.emulate_media(reduced_motion="no-preference")

    assert await ada.page.evaluate(_LASTING) > 0, "so that the first look would have found some"


async def test_U15_in_forced_colours_what_can_be_pressed_has_an_edge(
    new_context: NewContext, stack: Stack
) -> None:
    ada = Person(await (await new_context(forced_colors="active")).new_page(), stack)
    await ada.has_signed_in("/edit", "edit")

    edges = await ada.page.evaluate(
        """() => [...document.querySelectorAll('main :is(input, textarea), .button.primary, .person')].map((one) => {
            const style = getComputedStyle(one);
            return [style.borderTopStyle, parseFloat(style.borderTopWidth) >= 1,
                style.borderTopColor !== style.backgroundColor];
        })"""
    )

    assert len(edges) >= 12
    assert {tuple(edge) for edge in edges} == {("solid", True, True)}


async def test_U15_a_chosen_theme_stays_and_the_system_s_can_come_back(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await page.emulate_media(color_scheme="light")
    await ada.opens()
    await ada.sees("signed-out")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(ground)
    html = page.locator("html")

    footer = page.get_by_role("contentinfo")
    await footer.get_by_text("Dark").click()
    await expect(html).not_to_have_css("background-color", light)
    dark = await page.evaluate(ground)
    await page.reload()
    await ada.sees("signed-out")
    await expect(html).to_have_css("background-color", dark)
    await footer.get_by_text("System").click()

    await expect(html).to_have_css("background-color", light)
    assert await page.evaluate("localStorage.length") == 0
