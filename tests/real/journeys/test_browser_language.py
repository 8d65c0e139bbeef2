"""The client in other languages: chosen, remembered, complete, and never in the way of what is stored."""

import os
import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.async_api import Page, Request, Route, async_playwright, expect

from devstack.browser_install import system_chromium
from devstack.stack import Stack
from tests.real.journeys.judged import every_fault
from tests.real.journeys.person import Person
from tests.real.journeys.screens import SCREENS
from tests.stage.browser import ARGUMENTS, NewContext

# Each letter for one that nobody would have typed into a view by hand; the values in {holes} stay what they are.
_MARK: Final = "\u02d9"
_STRANGE: Final = re.compile(r"^(  '[\w.-]+': |  \['[\w-]+', )'(.*)'(\]?,)$", re.MULTILINE)

# What a page says, without what people wrote about themselves and what a directory or a clock says.
_SAID: Final = """() => [...document.querySelectorAll(
    'h1, h2, p, dt, label, legend, button, a, li, th, .hint, .unset')]
    .filter((one) => one.checkVisibility() && one.textContent.trim())
    .flatMap((one) => [...one.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE))
    .map((part) => part.textContent.trim()).filter((words) => /\\p{L}/u.test(words))"""


async def strangely(route: Route) -> None:
    """Give a catalogue with a mark around every sentence."""
    text = await (await route.fetch()).text()
    marked = _STRANGE.sub(rf"\1'{_MARK}\2{_MARK}'\3", text)
    await route.fulfill(
        content_type="text/javascript", body=re.sub(r"(one|other): '", rf"\1: '{_MARK}", marked)
    )


@pytest.mark.parametrize(
    "name",
    ["signed_out", "profile_full", "confirm_with_changes", "edit_with_changes", "check_with_nothing_left"],
)
async def test_U16_no_sentence_is_written_into_a_view(page: Page, stack: Stack, name: str) -> None:
    ada = Person(page, stack)
    await SCREENS[name](ada)
    await page.route("**/words/en.js", strangely)
    await page.reload()
    await expect(page.locator("main[data-screen]")).to_be_visible()
    await expect(page.locator("h1")).to_contain_text(_MARK)

    said: list[str] = await page.evaluate(_SAID)

    own = re.compile(
        r"Stepup|Ada|Lovelace|London|England|example\.com|English|Deutsch|[^ ]+@|SW1Y|Analyst|12 St"
    )
    assert [words for words in said if _MARK not in words and not own.search(words)] == []


async def test_U16_a_language_is_chosen_at_the_foot_of_the_page_and_stays(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")

    await page.get_by_role("contentinfo").get_by_role("button", name="Deutsch").click()

    await expect(page.locator("h1")).to_have_text("Profil bearbeiten")
    assert await page.evaluate("document.documentElement.lang") == "de"
    await expect(page.locator("[name=city]")).to_have_value("Turin")
    await expect(page.locator("[name=country]")).to_have_value("Vereinigtes Königreich")
    await expect(page.locator(".count")).to_have_text("1 Änderung")
    await page.get_by_role("button", name="Speichern").click()
    await ada.sees("confirm")
    await page.get_by_role("button", name="Weiter").click()
    await ada.types_code()
    await ada.sees("check")
    await page.get_by_role("button", name="Speichern").click()
    await ada.sees("profile")
    await expect(page.locator("h1")).to_have_text("Guten Tag, Ada Lovelace")
    assert await every_fault(page) == []
    assert await ada.held_by_graph("city") == "Turin"
    assert await ada.held_by_graph("country") == "United Kingdom"

    await page.get_by_role("contentinfo").get_by_role("button", name="English").click()
    await expect(page.locator("h1")).to_have_text("Hello, Ada Lovelace")


async def test_U16_the_browser_s_language_is_spoken_where_we_know_it(
    new_context: NewContext, stack: Stack
) -> None:
    for locale, title in (
        ("de-AT", "Ihr Profil, von Ihnen gepflegt"),
        ("fr-FR", "Your profile, kept by you"),
    ):
        page = await (await new_context(locale=locale)).new_page()
        await page.goto(stack.gateway_url)
        await expect(page.locator("h1")).to_have_text(title)


async def test_U16_without_its_words_the_page_speaks_english(new_context: NewContext, stack: Stack) -> None:
    page = await (await new_context(locale="de-DE")).new_page()
    await page.route("**/words/de.js", lambda route: route.fulfill(content_type="text/javascript", body=""))

    await page.goto(stack.gateway_url)

    await expect(page.locator("h1")).to_have_text("Your profile, kept by you")
    assert await page.evaluate("document.documentElement.lang") == "en"


def _noting(addresses: set[str]) -> Callable[[Request], None]:
    return lambda request: addresses.add(request.url)


async def test_U16_only_the_words_of_the_page_s_language_are_fetched(
    new_context: NewContext, stack: Stack
) -> None:
    for locale, own in (("de-DE", "de"), ("en-GB", "en")):
        page = await (await new_context(locale=locale)).new_page()
        fetched: set[str] = set()
        page.on("request", _noting(fetched))
        await page.goto(stack.gateway_url)
        await expect(page.locator("main[data-screen]")).to_be_attached()

        words = {url.rsplit("/", 1)[1] for url in fetched if "/words/" in url}
        assert words == {f"{own}.js"}


# The whole table of what browsers on odd systems say is in tests/unit/spa/choices.test.mjs.
@pytest.mark.parametrize(
    "odd, languages, language",
    [
        ('"en-US@posix"', "['en-US@posix']", "en"),
        ('"de_DE.UTF-8"', "[]", "de"),
        ("null", "undefined", "en"),
        ('"DE"', "(() => { throw new Error('blocked'); })()", "de"),
    ],
)
async def test_X9_a_browser_may_call_its_language_what_it_likes(
    page: Page, stack: Stack, odd: str, languages: str, language: str
) -> None:
    await page.add_init_script(
        f"Object.defineProperty(navigator, 'language', {{get: () => {odd}}});"
        f"Object.defineProperty(navigator, 'languages', {{get: () => {languages}}});"
    )
    await page.goto(stack.gateway_url)
    await expect(page.locator("main[data-screen=signed-out]")).to_be_attached()
    assert await page.evaluate("document.documentElement.lang") == language


_BLOCKED_BROWSERS: Final = {
    "its language": "Object.defineProperty(navigator, 'language', {get() { throw new Error('blocked'); }});",
    "names of languages": "delete Intl.DisplayNames;",
    "names that fail": "Intl.DisplayNames = class { constructor() { throw new RangeError('no data'); } };",
    "letters": "delete Intl.Segmenter;",
    "channels": "delete window.BroadcastChannel;",
    "channels that fail": "window.BroadcastChannel = class { constructor() { throw new Error('blocked'); } };",
    "events": "delete window.EventSource;",
    "events that fail": "window.EventSource = class { constructor() { throw new Error('blocked'); } };",
    "no storage": "for (const name of ['localStorage', 'sessionStorage'])"
    " Object.defineProperty(window, name, {get: () => null});",
}


@pytest.mark.parametrize("without", _BLOCKED_BROWSERS)
async def test_X9_a_browser_may_lack_what_it_keeps_from_pages(page: Page, stack: Stack, without: str) -> None:
    ada = Person(page, stack)
    await page.add_init_script(_BLOCKED_BROWSERS[without])
    await ada.has_signed_in()
    await expect(page.locator("h1")).to_have_text("Hello, Ada Lovelace")

    await ada.confirms()
    await ada.edits(city="Turin", country="Italy")
    await ada.presses("Save changes")
    await ada.sees("profile")

    assert await ada.held_by_graph("city") == "Turin"
    assert await ada.held_by_graph("country") == "Italy"
    await ada.follows_menu("/sessions")
    await ada.sees("sessions")


@pytest.mark.asyncio(loop_scope="session")
async def test_X9_chromium_on_a_machine_without_a_language_shows_the_whole_client(stack: Stack) -> None:
    """What Linux services and containers have: LANG=C makes Chromium's language `en-US@posix` in some builds."""
    async with async_playwright() as playwright:
        for language in ("C", "POSIX", "en_US@posix", "C.UTF-8"):
            browser = await playwright.chromium.launch(
                executable_path=system_chromium(os.environ),
                args=[*ARGUMENTS, "--no-sandbox"],
                env={**os.environ, "LANG": language, "LC_ALL": language, "LANGUAGE": ""},
            )
            page = await browser.new_page(base_url=stack.gateway_url)
            ada = Person(page, stack)
            await ada.has_signed_in("/edit", "edit")
            await ada.goes_to("/sign-in-details")
            await ada.sees("claims")
            await browser.close()
