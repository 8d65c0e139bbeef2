"""The client in other languages: chosen, remembered, complete, and never in the way of what is stored."""

import re
from typing import Final

import pytest
from playwright.async_api import Page, Route, expect

from devstack.stack import Stack
from tests.real.journeys.judged import every_fault
from tests.real.journeys.person import Person
from tests.real.journeys.screens import SCREENS
from tests.stage.browser import NewContext
from tests.unit.spa.files import SPA

# Each letter for one that nobody would have typed into a view by hand; the values in {holes} stay what they are.
_MARK: Final = "\u02d9"
_STRANGE: Final = re.compile(r"^(  '[\w.-]+': )'(.*)',$", re.MULTILINE)

# What a page says, without what people wrote about themselves and what a directory or a clock says.
_SAID: Final = """() => [...document.querySelectorAll(
    'h1, h2, p, dt, label, legend, button, a, li, th, .hint, .unset')]
    .filter((one) => one.checkVisibility() && one.textContent.trim())
    .flatMap((one) => [...one.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE))
    .map((part) => part.textContent.trim()).filter((words) => /\\p{L}/u.test(words))"""


async def strangely(route: Route) -> None:
    """Give a catalogue with a mark around every sentence."""
    text = (SPA / "words" / route.request.url.rsplit("/", 1)[1]).read_text("utf-8")
    marked = _STRANGE.sub(rf"\1'{_MARK}\2{_MARK}',", text)
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
    await page.route("**/words/en*.js", strangely)
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
