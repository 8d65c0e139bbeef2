"""The edit form: wrong fields, refused fields, leaving with changes, both sides changed."""

import json

from playwright.async_api import Dialog, Page, Request, Route, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext


async def at_the_form(page: Page, stack: Stack) -> Person:
    """Ada at the form, confirmed."""
    ada = Person(page, stack)
    await ada.has_confirmed()
    return ada


async def test_U2_wrong_fields_are_told_twice_in_the_same_words_and_nothing_is_sent(
    page: Page, stack: Stack
) -> None:
    ada = await at_the_form(page, stack)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "PATCH" else None)
    await ada.edits(displayName="", postalCode="9" * 41)

    await ada.presses("Save changes")

    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await expect(summary.get_by_role("heading")).to_have_text("There is a problem")
    assert (await page.title()).startswith("Error: ")
    for name in ("displayName", "postalCode"):
        field, said = page.locator(f"[name={name}]"), page.locator(f"#{name}-error")
        await expect(field).to_have_attribute("aria-invalid", "true")
        assert f"{name}-error" in str(await field.get_attribute("aria-describedby")).split()
        await expect(summary.get_by_role("link", name=await said.inner_text(), exact=True)).to_be_visible()
    await expect(page.locator("[name=postalCode]")).to_have_value("9" * 41)
    assert sent == []

    await summary.get_by_role("link").nth(1).click()
    await expect(page.locator("[name=postalCode]")).to_be_focused()
    await ada.edits(displayName="Ada King", postalCode="10123")
    await ada.presses("Save changes")
    await ada.sees("profile")
    assert not (await page.title()).startswith("Error: ")


async def test_U3_what_the_server_refuses_is_told_at_the_field(page: Page, stack: Stack) -> None:
    ada = await at_the_form(page, stack)
    await ada.edits(city="Tu\u202erin", jobTitle="Countess")

    await ada.presses("Save changes")

    await expect(page.locator("#city-error")).to_contain_text("characters that can")
    await expect(page.locator("[name=city]")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("alert").get_by_role("link")).to_have_count(1)
    await expect(page.locator("[name=jobTitle]")).to_have_value("Countess")
    assert await ada.held_by_graph("jobTitle") == "Analyst"


async def test_U3_a_refusal_that_belongs_to_no_field_is_in_the_summary(page: Page, stack: Stack) -> None:
    ada = await at_the_form(page, stack)

    async def refuse(route: Route) -> None:
        errors = [{"field": "nickname", "code": "unknown_field", "detail": ""}]
        await route.fulfill(
            status=422,
            headers={"Content-Type": "application/problem+json"},
            body=json.dumps({"type": "/problems/invalid-profile-patch", "errors": errors}),
        )

    await page.route("**/api/profile", refuse)
    await ada.edits(city="Turin")

    await ada.presses("Save changes")

    await expect(page.get_by_role("alert").get_by_role("listitem")).to_contain_text("nickname")
    await expect(page.locator("[name=city]")).to_have_value("Turin")


async def test_U12_leaving_with_changes_asks_once_and_in_the_page(page: Page, stack: Stack) -> None:
    ada = await at_the_form(page, stack)
    question = page.get_by_role("alertdialog")
    await ada.presses("Cancel")  # and to the form again, so that Back stays within the client
    await ada.presses("Edit profile")
    await ada.sees("edit")
    await ada.edits(city="Turin")

    await ada.presses("Stepup")
    await expect(question.get_by_role("button", name="Keep editing")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await page.go_back()
    await question.get_by_role("button", name="Keep editing").click()
    await expect(page).to_have_url(f"{stack.gateway_url}/edit")
    await expect(page.locator("[name=city]")).to_have_value("Turin")

    await ada.presses("Cancel")
    await question.get_by_role("button", name="Leave without saving").click()
    await ada.sees("profile")
    assert "Turin" not in await page.evaluate("JSON.stringify({...sessionStorage})")
    await ada.presses("Edit profile")
    await ada.sees("edit")
    await ada.presses("Stepup")
    await ada.sees("profile")


async def test_U12_closing_the_tab_asks_only_while_something_would_be_left(page: Page, stack: Stack) -> None:
    ada = await at_the_form(page, stack)
    asked: list[str] = []

    async def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    page.on("dialog", agree)
    await page.locator("[name=city]").click()
    await page.keyboard.type("x")
    await page.reload()
    await ada.sees("edit")
    assert asked == ["beforeunload"]
    await expect(page.locator("[name=city]")).to_have_value("Londonx")
    await expect(ada.words("Your draft is back")).to_be_visible()

    await ada.presses("Save changes")
    await ada.sees("profile")
    await page.reload()
    await ada.sees("profile")
    assert len(asked) == 1


async def test_U13_where_both_sides_changed_the_person_chooses_field_by_field(
    page: Page, stack: Stack, new_context: NewContext
) -> None:
    ada = await at_the_form(page, stack)
    elsewhere = await at_the_form(await (await new_context()).new_page(), stack)
    await ada.edits(city="Turin", state="Piedmont", jobTitle="Countess")
    await elsewhere.edits(city="Ockham", state="Surrey", surname="King")
    await elsewhere.presses("Save changes")
    await elsewhere.sees("profile")
    await ada.presses("Save changes")
    await ada.sees("check")

    await expect(page.locator("main").get_by_role("group")).to_have_count(2)
    await page.get_by_role("group", name="City").get_by_label("What it is now").check()
    await ada.presses("Save changes")
    await ada.sees("profile")

    held = {name: await ada.held_by_graph(name) for name in ("city", "state", "jobTitle", "surname")}
    assert held == {"city": "Ockham", "state": "Piedmont", "jobTitle": "Countess", "surname": "King"}


async def test_U6_a_draft_leaves_with_the_person_who_signs_out(page: Page, stack: Stack) -> None:
    ada = await at_the_form(page, stack)
    await ada.edits(city="Turin")

    await ada.signs_out(leaving_changes=True)

    assert "Turin" not in await page.evaluate("JSON.stringify({...sessionStorage})")
    await ada.has_signed_in("/edit", "edit")
    await expect(page.locator("[name=city]")).to_have_value("London")
