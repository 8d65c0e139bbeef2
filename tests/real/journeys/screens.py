"""Every screen and state of the client, and a person's way to it: what is judged for looks and accessibility.

Owns the ways only; what must be true of each screen is in test_every_screen.py.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from playwright.async_api import expect

from tests.real.journeys.answers import (
    ends_soon,
    has_signed_in_without_events,
    never,
    nobody_knows,
    store_away,
)
from tests.real.journeys.person import Person
from tests.stage.other_front_end import GRACE

Way = Callable[[Person], Awaitable[None]]

SCREENS: Final[dict[str, Way]] = {}

_UNUSUAL_PASSWORD: Final = "Unusual-Person-0000"


def screen(way: Way) -> Way:
    """List a way under its name."""
    SCREENS[way.__name__] = way
    return way


async def _signed_in_as(person: Person, email: str, password: str) -> None:
    await person.admin("POST", "/people/unusual")
    person.email, person.password = email, password
    await person.has_signed_in()


async def _at_the_form(person: Person) -> None:
    await person.has_signed_in("/edit", "edit")


@screen
async def signed_out(person: Person) -> None:
    await person.opens()
    await person.sees("signed-out")


@screen
async def signed_out_at_a_page(person: Person) -> None:
    await person.opens("/sessions")
    await person.sees("signed-out")


@screen
async def signed_out_by_somebody_with_a_draft(person: Person) -> None:
    # Without events, which would take the page away before the person saves.
    await has_signed_in_without_events(person, "/edit", "edit")
    await person.edits(city="Turin")
    await person.admin("POST", f"/people/{person.email}/sign-out")
    await person.presses("Save changes")
    await person.sees("signed-out")


@screen
async def profile_full(person: Person) -> None:
    await person.has_signed_in()


@screen
async def profile_half_empty(person: Person) -> None:
    await _signed_in_as(person, *GRACE)


@screen
async def profile_in_other_scripts(person: Person) -> None:
    await _signed_in_as(person, "yamada@example.com", _UNUSUAL_PASSWORD)


@screen
async def profile_with_the_longest_name(person: Person) -> None:
    await _signed_in_as(person, "long@example.com", _UNUSUAL_PASSWORD)


@screen
async def profile_before_it_is_there(person: Person) -> None:
    await person.has_signed_in()
    await person.page.route("**/api/profile", never)
    await person.opens()
    await expect(person.page.locator(".bone").first).to_be_visible()


@screen
async def profile_with_a_draft_waiting(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin", jobTitle="Countess")
    await person.presses("Save changes")
    await person.presses("Not now")
    await person.sees("profile")


@screen
async def profile_just_saved(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin", jobTitle="Countess")
    await person.presses("Save changes")
    await person.presses("Continue")
    await person.types_code()
    await person.sees("check")
    await person.presses("Save changes")
    await person.sees("profile")


@screen
async def menu_open(person: Person) -> None:
    await person.has_signed_in()
    await person.opens_menu()


@screen
async def confirm_before_typing(person: Person) -> None:
    await person.has_signed_in()
    await person.presses("Edit profile")
    await person.sees("confirm")


@screen
async def confirm_with_changes(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin", jobTitle="Countess")
    await person.presses("Save changes")
    await person.sees("confirm")


@screen
async def edit_after_confirming(person: Person) -> None:
    await person.has_signed_in()
    await person.confirms()


@screen
async def edit_with_changes(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin", jobTitle="Countess", displayName="Ada King")


@screen
async def edit_with_nothing_to_save(person: Person) -> None:
    await _at_the_form(person)
    await person.presses("Save changes")
    await expect(person.page.get_by_text("There is nothing to save yet").first).to_be_visible()


@screen
async def edit_choosing_from_the_list(person: Person) -> None:
    await _at_the_form(person)
    country = person.page.locator("[name=country]")
    await country.fill("")
    await country.press_sequentially("ger")
    await country.press("ArrowDown")
    await expect(person.page.get_by_role("option", selected=True)).to_be_visible()


@screen
async def edit_with_wrong_fields(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(displayName="", postalCode="9" * 41, preferredLanguage="no language")
    await person.presses("Save changes")
    await expect(person.page.locator(".summary-box")).to_be_visible()


@screen
async def edit_being_saved(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin")
    await person.page.route("**/api/profile", never)
    await person.presses("Save changes")
    await expect(person.page.get_by_role("button", name="Saving…")).to_be_visible()


@screen
async def edit_that_could_not_be_saved(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin")
    await person.page.route("**/api/profile", store_away)
    await person.presses("Save changes")
    await person.sees_problem("session-store-unavailable")


@screen
async def edit_of_which_nobody_knows(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin")
    await person.page.route("**/api/profile", nobody_knows)
    await person.presses("Save changes")
    await person.sees_problem("resource-unavailable")


@screen
async def edit_that_was_looked_for_and_not_seen(person: Person) -> None:
    await edit_of_which_nobody_knows(person)
    await person.presses("Look now")
    await expect(person.page.get_by_role("alert")).to_contain_text("there yet. That")


@screen
async def edit_about_to_be_left(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="Turin")
    await person.presses("Cancel")
    await expect(person.page.get_by_role("alertdialog")).to_be_visible()


@screen
async def check_after_confirming(person: Person) -> None:
    await _at_the_form(person)
    await person.edits(city="", jobTitle="Countess", preferredLanguage="fr-FR")
    await person.presses("Save changes")
    await person.presses("Continue")
    await person.types_code()
    await person.sees("check")


@screen
async def check_with_a_conflict(person: Person) -> None:
    await person.has_confirmed()
    other = Person(await person.page.context.new_page(), person.stack)
    await other.opens("/edit")
    await other.edits(city="Ockham")
    await person.edits(city="Turin", jobTitle="Countess")
    await other.presses("Save changes")
    await other.sees("profile")
    await other.page.close()
    await person.presses("Save changes")
    await person.sees("check")
    await expect(person.page.get_by_role("radio", name="What you wrote")).to_be_visible()


@screen
async def check_with_nothing_left(person: Person) -> None:
    await person.has_signed_in("/check", "check")


@screen
async def sessions_of_one_browser(person: Person) -> None:
    await person.has_signed_in("/sessions", "sessions")


@screen
async def sessions_of_several_browsers(person: Person) -> None:
    await person.signs_in_elsewhere()
    await person.has_signed_in("/sessions", "sessions")
    await expect(person.page.locator("[data-session]")).to_have_count(2)


@screen
async def claims(person: Person) -> None:
    await person.has_signed_in("/sign-in-details", "claims")


@screen
async def session_about_to_end(person: Person) -> None:
    await person.has_signed_in()
    await ends_soon(person, idle=119, absolute=3600)


@screen
async def session_at_its_longest(person: Person) -> None:
    await person.has_signed_in()
    await ends_soon(person, idle=119, absolute=119)


@screen
async def no_such_page(person: Person) -> None:
    await person.has_signed_in("/no-such-page", "not-found")


@screen
async def offline(person: Person) -> None:
    await person.has_signed_in()
    await person.follows_menu("/sessions")
    await person.sees("sessions")
    await person.loses_the_connection()
    await person.presses("Stepup")
    await person.sees_problem("offline")


@screen
async def store_away_with_a_reference(person: Person) -> None:
    await person.has_signed_in()
    await person.page.route("**/api/profile", store_away)
    await person.opens()
    await person.sees_problem("session-store-unavailable")
