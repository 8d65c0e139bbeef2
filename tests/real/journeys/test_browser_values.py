"""What people and directories write: from the directory to the screen and back, without damage."""

from typing import Final

import pytest
from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person

LINES: Final = "Flat 3{0}River House{0}12 Canal Row"
_PASSWORD: Final = "Canal-Row-1934"
FORM: Final = ("/edit", "edit")


async def somebody(
    page: Page, stack: Stack, at: tuple[str, str] = ("/", "profile"), **profile: str
) -> Person:
    """Sign in as a new person with this profile, at an address with its screen."""
    person = Person(page, stack, "mary@example.com", _PASSWORD)
    await person.admin(
        "POST",
        "/people",
        {
            "email": person.email,
            "password": _PASSWORD,
            "profile": {"displayName": "Mary Anning", "city": "Lyme Regis", **profile},
        },
    )
    await person.has_signed_in(*at)
    return person


async def saves_after_confirming(person: Person) -> None:
    """Save, confirm, check what will change, and save."""
    await person.presses("Save changes")
    await person.presses("Continue")
    await person.types_code()
    await person.sees("check")
    await person.presses("Save changes")
    await person.sees("profile")


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
async def test_D1_an_address_of_several_lines_stays_one_from_the_directory_to_the_screen_and_back(
    page: Page, stack: Stack, break_: str
) -> None:
    mary = await somebody(page, stack, streetAddress=LINES.format(break_))
    value = page.locator("[data-field=streetAddress] bdi")
    assert await value.inner_text() == LINES.format("\n")

    await mary.presses("Change Street address")
    await mary.presses("Not now")
    await mary.opens("/edit")
    field = page.get_by_role("textbox", name="Street address")
    await expect(field).to_have_value(LINES.format("\n"))
    await field.press("End")
    await field.press("Control+End")
    await field.press_sequentially(" East")
    # The draft has them, too.
    await page.reload()
    await expect(field).to_have_value(LINES.format("\n") + " East")
    await mary.presses("Save changes")
    await mary.presses("Continue")
    await mary.types_code()
    await mary.sees("check")
    change = page.locator("[data-field=streetAddress]")
    assert await change.locator("del").inner_text() == LINES.format("\n")
    assert await change.locator("ins").inner_text() == LINES.format("\n") + " East"
    await mary.presses("Save changes")
    await mary.sees("profile")

    # The directory's own line breaks, where it has a custom of two characters.
    kept = "\r\n" if break_ == "\r\n" else "\n"
    assert await mary.held_by_graph("streetAddress") == LINES.format(kept) + " East"
    assert await value.inner_text() == LINES.format("\n") + " East"


async def test_D1_what_is_there_is_untouched_by_an_edit_of_another_field(page: Page, stack: Stack) -> None:
    odd = {
        "streetAddress": LINES.format("\r\n") + "\t ",
        "jobTitle": "Fossil hunter\r\nPalaeontologist",
        "givenName": "Ma\u0308ry\ufa1b",
        "surname": " Anning\u3164",
        "country": "Deutschland",
        "preferredLanguage": "de",
    }
    mary = await somebody(page, stack, FORM, **odd)
    await expect(page.locator("[name=country]")).to_have_value("Deutschland")

    await mary.edits(city="Charmouth")
    await saves_after_confirming(mary)

    assert await mary.held_by_graph("city") == "Charmouth"
    assert {name: await mary.held_by_graph(name) for name in odd} == odd
    await expect(page.locator("[data-field=country] bdi")).to_have_text("Deutschland")


async def test_D1_a_line_break_in_a_field_of_one_line_never_makes_one_word_of_two(
    page: Page, stack: Stack
) -> None:
    mary = await somebody(page, stack, FORM, jobTitle="Fossil hunter\r\nPalaeontologist")
    field = page.locator("[name=jobTitle]")

    await expect(field).to_have_value("Fossil hunter Palaeontologist")
    await field.press("End")
    await field.press_sequentially(" of Lyme")
    await saves_after_confirming(mary)

    assert await mary.held_by_graph("jobTitle") == "Fossil hunter Palaeontologist of Lyme"


@pytest.mark.parametrize(
    "typed, key", [("germ", "Enter"), ("germ", "Tab"), ("DE", "Enter"), ("GERMANY", "Tab")]
)
async def test_D2_what_can_mean_one_country_is_that_country(
    page: Page, stack: Stack, typed: str, key: str
) -> None:
    ada = Person(page, stack)
    await ada.has_confirmed()
    country = page.get_by_role("combobox", name="Country")
    await country.fill("")
    await country.press_sequentially(typed)
    await expect(page.get_by_role("option", selected=True)).to_have_text("Germany")

    await country.press(key)

    await expect(country).to_have_value("Germany")
    await expect(page.get_by_role("listbox")).to_have_count(0)
    await ada.sees("edit")
    await ada.presses("Save changes")
    await ada.sees("profile")
    assert await ada.held_by_graph("country") == "Germany"


async def test_D2_a_country_is_found_by_the_page_s_words_and_saved_by_the_directory_s(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await page.get_by_role("contentinfo").get_by_role("button", name="Deutsch").click()
    country = page.locator("[name=country]")
    await expect(country).to_have_value("Vereinigtes Königreich")

    await country.fill("Osterreich")
    await country.blur()

    await expect(country).to_have_value("Österreich")
    await page.get_by_role("button", name="Speichern").click()
    await page.get_by_role("button", name="Weiter").click()
    await ada.types_code()
    await ada.sees("check")
    await page.get_by_role("button", name="Speichern").click()
    await ada.sees("profile")
    assert await ada.held_by_graph("country") == "Austria"


@pytest.mark.parametrize("typed", ["guin", "united", "Atlantis", "xx"])
async def test_D2_what_means_no_one_country_is_a_fault_at_the_field(
    page: Page, stack: Stack, typed: str
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    before = await ada.held_by_graph("country")
    country = page.locator("[name=country]")
    await country.fill(typed)

    await country.press("Enter")

    await expect(page.locator("#country-error")).to_have_text("Choose a country or region from the list")
    await expect(country).to_have_value(typed)
    assert await ada.held_by_graph("country") == before


@pytest.mark.parametrize(
    "typed, held", [("japan", "ja-JP"), ("germ", None), ("ger", "de"), ("EN-gb", "en-GB"), ("abc", None)]
)
async def test_D2_a_language_is_one_of_the_list_or_a_code_that_there_is(
    page: Page, stack: Stack, typed: str, held: str | None
) -> None:
    mary = await somebody(page, stack, FORM, preferredLanguage="fr-FR")
    await page.locator("[name=preferredLanguage]").fill(typed)
    await page.keyboard.press("Tab")

    if held:
        await saves_after_confirming(mary)
    else:
        await mary.presses("Save changes")
        await expect(page.locator("#preferredLanguage-error")).to_contain_text("Choose a language")

    assert await mary.held_by_graph("preferredLanguage") == (held or "fr-FR")


async def test_D2_the_enter_of_an_input_method_chooses_nothing(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    country = page.locator("[name=country]")
    await country.fill("germ")

    await country.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})

    await expect(country).to_have_value("germ")
    await expect(page.locator("#country-list")).to_be_visible()


@pytest.mark.parametrize("name", ["unknown", "Unknown "])
async def test_D3_what_a_directory_writes_for_no_name_is_shown_nowhere(
    page: Page, stack: Stack, name: str
) -> None:
    await somebody(page, stack, displayName=name)

    await expect(page.locator("h1")).to_have_text("Hello, mary@example.com")
    await expect(page.get_by_role("navigation").get_by_role("button").first).to_have_text("Mmary@example.com")
    await expect(page.locator("[data-field=displayName] .unset")).to_have_text("Not set")
    await expect(page.locator("body")).not_to_contain_text("unknown", ignore_case=True)


async def test_D3_a_given_and_a_family_name_are_a_name(page: Page, stack: Stack) -> None:
    await somebody(page, stack, displayName="unknown", givenName="Mary", surname="Anning")

    await expect(page.locator("h1")).to_have_text("Hello, Mary Anning")


@pytest.mark.parametrize(
    "name", ["\ufa1b\u7530", "A\u030asa", "\u1112\u1161\u11ab", "\u0645\u06cc\u200c\u062e"]
)
async def test_D4_a_name_is_kept_as_it_was_typed(page: Page, stack: Stack, name: str) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(surname=name)

    await saves_after_confirming(ada)

    assert await ada.held_by_graph("surname") == name


@pytest.mark.parametrize("name", ["\u3164", "\u115f\u1160", "\u2800", "\u200b\u200d", "\U000e0041"])
async def test_D5_a_name_of_which_nothing_is_seen_is_none(page: Page, stack: Stack, name: str) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(displayName=name)

    await ada.presses("Save changes")

    await expect(page.locator("#displayName-error")).to_have_text("Enter a display name")


async def test_D7_discarding_asks_first_wherever_it_is_offered(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin", jobTitle="Countess")
    await ada.presses("Save changes")
    await ada.presses("Not now")
    await ada.sees("profile")
    await ada.presses("Discard")
    await expect(page.get_by_role("alertdialog")).to_contain_text("2 changes")
    await ada.presses("Keep my changes")
    await ada.presses("Continue editing")
    await ada.presses("Save changes")
    await ada.presses("Continue")
    await ada.types_code()
    await ada.sees("check")

    await ada.presses("Discard")
    await expect(page.get_by_role("button", name="Keep my changes")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await expect(page.locator("[data-field=city] ins")).to_have_text("Turin")

    await ada.presses("Discard")
    await page.get_by_role("alertdialog").get_by_role("button", name="Discard").click()
    await ada.sees("profile")
    await expect(page.get_by_role("button", name="Continue editing")).to_have_count(0)
    assert await ada.held_by_graph("city") != "Turin"
