"""Before a session ends and when it has ended: warned in time, one press to stay, nothing lost."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from devstack.stack import Stack, running_stack
from tests.real.journeys.answers import ends_soon
from tests.real.journeys.person import Person
from tests.stage.ports import free_ports


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with sessions that end soon when nothing happens; `stack` is this one here."""
    overrides = {"GATEWAY_SESSION_IDLE_SECONDS": "15"}
    with running_stack(
        tmp_path_factory.mktemp("short"), ports=free_ports(), env_overrides=overrides
    ) as stack:
        yield stack


async def test_U9_one_press_keeps_the_person_signed_in(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    await ends_soon(ada, idle=119, absolute=3600)
    question = page.get_by_role("alertdialog", name="Your session is about to end")
    await expect(question).to_contain_text("minute")
    stay = question.get_by_role("button", name="Stay signed in")
    await expect(stay).to_be_focused()
    await page.unroute("**/api/session")

    async with page.expect_request("**/api/profile"):
        await page.keyboard.press("Enter")

    await expect(question).to_have_count(0)
    await expect(page.get_by_role("status").get_by_text("You stay signed in.")).to_be_attached()


async def test_U9_a_session_at_its_longest_says_so_once(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    await ends_soon(ada, idle=100, absolute=100)
    question = page.get_by_role("alertdialog")
    await expect(question).to_contain_text("has reached its longest time")
    await expect(question.get_by_role("button", name="Sign in again")).to_be_focused()

    await page.keyboard.press("Escape")

    await expect(question).to_have_count(0)
    await expect(page).to_have_url(f"{stack.gateway_url}/")
    await ada.sees("profile")


async def test_U9_a_session_that_ended_unused_says_why_and_keeps_the_draft(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")

    question = page.get_by_role("alertdialog", name="Your session is about to end")
    await expect(question).to_be_visible()
    await expect(question).to_contain_text("Your draft is kept on this device.")
    await expect(page.locator("main")).to_have_attribute("data-screen", "signed-out")

    await expect(question).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("nothing happened here for a while")
    await expect(page.locator("body")).not_to_contain_text("Lovelace")
    await ada.presses("Sign in")
    if await ada.is_asked_for("password", or_for="main[data-screen=edit]"):
        await ada.types_password()
    await ada.sees("edit")
    await expect(page.locator("[name=city]")).to_have_value("Turin")
