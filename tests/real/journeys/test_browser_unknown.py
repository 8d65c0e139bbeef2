"""L5: a change of which nobody knows whether it was saved: the page looks by itself, and says what it saw."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person

LATER = "#status"


async def lag(person: Person, seconds: float) -> None:
    """Let Graph's replicas lag so far behind."""
    await person.admin("PUT", "/settings", {"graph_lag_seconds": seconds})


async def loses_the_answer(person: Person, fault: dict[str, Any]) -> None:
    """Let Graph fail at the next write, and show what was there an hour ago."""
    await person.admin("PUT", "/faults/graph.patch_me", {"times": 1, **fault})
    await lag(person, 3600)


async def in_doubt(page: Page, stack: Stack, fault: dict[str, Any]) -> Person:
    """Ada, who has read that nobody knows whether her change was saved."""
    await page.clock.install()
    ada = Person(page, stack)
    await ada.has_confirmed()
    await ada.edits(city="Turin")
    await loses_the_answer(ada, fault)
    await ada.presses("Save changes")
    await ada.sees_problem("resource-unavailable")
    await expect(page.get_by_role("alert")).to_contain_text("know yet whether your change was saved")
    await expect(page.get_by_role("alert")).to_contain_text("We look for it by ourselves in")
    return ada


APPLIED = {"status": 500, "after": True}


@pytest.mark.parametrize(
    "fault",
    [APPLIED, {"status": 503, "retry_after": 60, "after": True}, {"body": "reset", "after": True}],
    ids=str,
)
async def test_L5_the_page_looks_by_itself_and_tells_what_it_sees_as_saved(
    page: Page, stack: Stack, fault: dict[str, Any]
) -> None:
    ada = await in_doubt(page, stack, fault)
    await lag(ada, 0)

    await page.clock.fast_forward(15_000)

    await ada.sees("profile")
    await expect(page.locator(".notice.saved")).to_contain_text("Saved at")
    await expect(page.locator("[data-field=city]")).to_contain_text("Turin")
    await ada.opens("/edit")
    await expect(ada.words("No changes yet")).to_be_visible()


async def test_L5_what_is_not_there_yet_is_not_told_as_not_saved_and_can_be_looked_for_again(
    page: Page, stack: Stack
) -> None:
    ada = await in_doubt(page, stack, APPLIED)

    await page.clock.fast_forward(15_000)

    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text(
        re.compile("it wasn.t there yet. That doesn.t mean that it wasn.t saved")
    )
    await expect(page.locator(LATER)).to_contain_text("there yet. That")
    await expect(alert).not_to_contain_text("by ourselves")
    await expect(page.locator("[name=city]")).to_have_value("Turin")
    await lag(ada, 0)
    await ada.presses("Look now")
    await ada.sees("profile")
    await expect(page.locator(".notice.saved")).to_be_visible()


async def test_L5_saving_again_is_safe_and_finds_out_too(page: Page, stack: Stack) -> None:
    ada = await in_doubt(page, stack, {"status": 200, "body": "html"})
    await lag(ada, 0)

    await ada.presses("Save changes")

    await ada.sees("profile")
    await ada.opens()
    await expect(page.locator("[data-field=city]")).to_contain_text("Turin")


async def test_L5_whoever_goes_on_typing_is_not_taken_away_by_the_look(page: Page, stack: Stack) -> None:
    ada = await in_doubt(page, stack, APPLIED)
    await lag(ada, 0)
    await ada.edits(jobTitle="Countess")

    await page.clock.fast_forward(15_000)

    await expect(page.get_by_role("alert")).not_to_contain_text("by ourselves")
    await expect(page.locator("[name=jobTitle]")).to_have_value("Countess")
    await ada.presses("Look now")
    await expect(ada.words("Your draft is back")).to_be_visible()
    await expect(page.locator("#count")).to_have_text("1 change")
    await expect(page.locator("[name=city]")).to_have_value("Turin")


async def test_L5_an_edit_that_was_parked_is_looked_for_likewise(page: Page, stack: Stack) -> None:
    await page.clock.install()
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    await ada.presses("Save changes")
    await ada.presses("Continue")
    await ada.types_code()
    await ada.sees("check")
    await loses_the_answer(ada, APPLIED)
    await ada.presses("Save changes")
    await ada.sees_problem("resource-unavailable")
    await lag(ada, 0)

    await page.clock.fast_forward(15_000)

    await ada.sees("profile")
    await expect(page.locator(".notice.saved")).to_be_visible()


async def test_L5_a_draft_of_which_nobody_knows_is_never_called_unsaved(page: Page, stack: Stack) -> None:
    ada = await in_doubt(page, stack, APPLIED)

    for path, screen in (("/edit", "edit"), ("/", "profile")):
        await ada.opens(path)
        await ada.sees(screen)
        await expect(page.locator("main")).to_contain_text("know yet whether your change was saved")
        await expect(page.locator("main")).not_to_contain_text("saved yet")
    await lag(ada, 0)
    await ada.opens()

    await expect(page.locator("[data-field=city]")).to_contain_text("Turin")
    await expect(page.get_by_role("button", name="Continue editing")).to_have_count(0)
    await ada.opens("/edit")
    await expect(ada.words("No changes yet")).to_be_visible()
