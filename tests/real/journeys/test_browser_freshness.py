"""A confirmation that ends before the session does, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from devstack.stack import Stack, running_stack
from tests.real.journeys.person import Person
from tests.stage.ports import free_ports


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with confirmations that last for some seconds; `stack` is this one here."""
    overrides = {"GATEWAY_STEP_UP_MAX_AGE_SECONDS": "10"}
    with running_stack(
        tmp_path_factory.mktemp("fresh"), ports=free_ports(), env_overrides=overrides
    ) as stack:
        yield stack


async def confirms_anew_and_saves(person: Person) -> None:
    """Go from the question for a confirmation to the press that saves."""
    await person.presses("Continue")
    await person.types_password()  # a confirmation of before does not count: the tenant asks anew
    if await person.is_asked_for("code", or_for="main[data-screen=check]"):
        await person.types_code()
    await person.sees("check")
    await person.presses("Save changes")


async def test_an_edit_after_the_confirmation_s_age_asks_again_and_keeps_the_changes(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_confirmed()
    await ada.edits(city="Turin")
    await ada.outlives_the_confirmation()

    await ada.presses("Save changes")
    await ada.sees("confirm")
    await expect(page.locator("main")).to_contain_text("1 change")
    assert await ada.held_by_graph("city") == "London"
    await confirms_anew_and_saves(ada)
    while await ada.sees_one_of("profile", "confirm") == "confirm":
        await confirms_anew_and_saves(ada)  # on a computer that takes longer than a confirmation lasts

    assert await ada.held_by_graph("city") == "Turin"


async def test_edit_asks_first_again_once_the_confirmation_is_old(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_confirmed()
    await ada.outlives_the_confirmation()
    await ada.opens()
    await ada.sees("profile")

    await ada.presses("Edit profile")

    await ada.sees("confirm")
