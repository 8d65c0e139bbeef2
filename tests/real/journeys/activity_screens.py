"""The screen of recent activity in its states, and a person's way to it, as screens.py has of the others."""

from typing import Final

from playwright.async_api import expect

from tests.real.journeys.activity_answers import (
    ENTRIES,
    NOT_ME,
    every_kind_of_entry,
    with_a_place_for_passwords,
)
from tests.real.journeys.person import Person
from tests.real.journeys.screens import Way


async def activity(person: Person) -> None:
    await person.page.route("**/api/activity", every_kind_of_entry)
    await person.has_signed_in("/activity", "activity")
    await expect(person.page.locator(".session")).to_have_count(len(ENTRIES))


async def activity_about_to_be_disowned(person: Person) -> None:
    await person.has_signed_in("/activity", "activity")
    await person.presses(NOT_ME)
    await expect(person.page.get_by_role("alertdialog")).to_be_visible()


async def activity_disowned(person: Person) -> None:
    await person.page.route("**/api/session", with_a_place_for_passwords)
    await activity_about_to_be_disowned(person)
    await person.presses("Sign out everywhere else")
    await expect(person.page.get_by_role("link", name="Change your password")).to_be_visible()


ACTIVITY_SCREENS: Final[dict[str, Way]] = {
    way.__name__: way for way in (activity, activity_about_to_be_disowned, activity_disowned)
}
