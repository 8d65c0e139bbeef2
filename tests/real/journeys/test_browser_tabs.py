"""What happens to a session elsewhere reaches every open page by itself: other tabs, other browsers, operators."""

import asyncio
import time

from playwright.async_api import Page, Request, expect

from devstack.stack import Stack
from tests.real.journeys.answers import has_signed_in_without_events
from tests.real.journeys.person import Person
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.patience import PATIENCE

EVENTS = "**/api/session/events"


async def tabs(first: Person, *paths: str) -> list[Person]:
    """More tabs of the same browser."""
    more = [Person(await first.page.context.new_page(), first.stack) for _ in paths]
    for person, path in zip(more, paths, strict=True):
        await person.opens(path)
    return more


async def test_U10_signing_out_in_one_tab_empties_the_others(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    second, third = await tabs(ada, "/", "/sessions")
    await second.sees("profile")
    await second.settles()
    await third.sees("sessions")
    await third.settles()

    await ada.opens_menu()
    await ada.presses("Sign out")

    for other in (second, third):
        await other.sees("signed-out")
        await expect(other.page.locator("main")).to_contain_text("you signed out in another tab")
        await expect(other.page.locator("body")).not_to_contain_text("Lovelace")


async def test_U10_what_is_saved_in_one_tab_shows_in_the_others(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_confirmed()
    (second,) = await tabs(ada, "/")
    await second.sees("profile")
    await second.settles()

    await ada.edits(displayName="Ada King")
    await ada.presses("Save changes")
    await ada.sees("profile")

    await expect(second.page.locator("h1")).to_contain_text("Ada King")
    await expect(second.page.get_by_role("button", name="Ada King")).to_be_visible()


async def test_U10_another_person_in_another_tab_leaves_nothing_of_the_first(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    (second,) = await tabs(ada, "/")
    await second.sees("profile")
    await second.signs_out()
    await ada.sees("signed-out")

    grace = Person(second.page, stack, *GRACE)
    await grace.signs_in()

    await ada.sees("edit")
    await expect(page.locator("[name=displayName]")).to_have_value("Grace Hopper")
    await expect(page.locator("[name=city]")).to_have_value("")
    assert "Turin" not in await page.evaluate("JSON.stringify({...sessionStorage})")


async def test_a_confirmation_in_another_tab_changes_what_saving_asks_for(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await expect(ada.words("we ask you to confirm")).to_be_visible()
    (second,) = await tabs(ada, "/")

    await second.confirms()

    await expect(ada.words("we ask you to confirm")).to_be_hidden()


async def test_a_session_that_ends_elsewhere_empties_the_page_by_itself(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    async with page.expect_response(EVENTS):  # which brings the reason, to whoever listens by then
        await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as elsewhere:
        await elsewhere.sign_in()
        assert (await elsewhere.call("DELETE", "/api/sessions")).status == 200

    await ada.sees("signed-out")

    await expect(page.locator("main")).to_contain_text("you ended this session from another browser")
    await expect(page.locator("main")).to_contain_text("draft is kept")
    await expect(page.locator("body")).not_to_contain_text("Lovelace")


async def test_a_sign_out_at_the_authority_empties_the_page_by_itself(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()

    await ada.admin("POST", f"/people/{ada.email}/sign-out")

    await ada.sees("signed-out")
    await expect(page.locator("body")).not_to_contain_text("Lovelace")


async def test_without_events_a_page_finds_out_when_somebody_looks_at_it(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await has_signed_in_without_events(ada)
    await ada.admin("POST", f"/people/{ada.email}/sign-out")
    await expect(page.locator("main")).to_contain_text("Lovelace")

    async with page.expect_response("**/api/session"):
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    await ada.sees("signed-out")


async def test_a_page_that_nobody_looks_at_holds_no_connection(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    ended: list[Request] = []
    page.on("requestfailed", lambda request: ended.append(request) if "events" in request.url else None)
    async with page.expect_request(EVENTS) as first:
        await ada.has_signed_in()
    assert (await first.value).method == "GET"

    async with page.expect_event("requestfailed", lambda request: "events" in request.url):
        await page.evaluate(
            """() => {
                Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
                document.dispatchEvent(new Event('visibilitychange'));
            }"""
        )

    async with page.expect_request(EVENTS):
        await page.evaluate(
            """() => {
                delete document.visibilityState;
                document.dispatchEvent(new Event('visibilitychange'));
            }"""
        )
    assert len(ended) == 1


def _log_with(stack: Stack, text: str) -> str:
    """Return the gateway's log, once this text is in it."""
    until = time.monotonic() + PATIENCE
    while text not in (log := stack.log("gateway")):
        assert time.monotonic() < until
        time.sleep(0.02)
    return log


async def test_a_page_that_is_left_asks_nothing_more(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)

    async def looks() -> int:
        """Count who asked for the session, once an answer shows that what came before it is in the log."""
        answer = await page.request.get(f"{stack.gateway_url}/api/no-such-thing", headers={"X-CSRF": "1"})
        reference = (await answer.json())["reference"]
        log = await asyncio.to_thread(_log_with, stack, reference)
        return log.partition(reference)[0].count('"route": "/api/session",')

    async def settled_looks() -> int:
        """Count them when there are no more: what the sign-in changed is told by an event, and looked at."""
        seen, before = await looks(), -1
        while seen != before:
            await asyncio.sleep(1)
            seen, before = await looks(), seen
        return seen

    for elsewhere in (f"{stack.gateway_url}/favicon.svg", f"{stack.tenant_url}/inbox"):
        async with page.expect_response(EVENTS):
            await ada.has_signed_in()
        before = await settled_looks()
        await page.goto(elsewhere)
        assert await looks() == before
    assert before >= 2, "each of the pages asked at its start"


async def posts_a_stale_answer(person: Person) -> None:
    """Come back from the authority with an answer that nobody waits for, as the browser's Back does."""
    await person.page.goto("about:blank")
    await person.page.set_content(
        f"""<form method="post" action="{person.stack.gateway_url}/auth/callback">
        <input name="state" value="used"><input name="code" value="used"></form>"""
    )
    async with person.page.expect_navigation():
        await person.page.evaluate("() => { setTimeout(() => document.forms[0].submit()) }")


async def test_R20_a_stale_answer_leads_a_signed_in_person_home(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.opens("/")
    await posts_a_stale_answer(ada)
    await ada.sees_problem("sign-in-expired")

    await ada.has_signed_in()
    await posts_a_stale_answer(ada)
    await ada.sees("profile")
    assert ada.page.url == f"{stack.gateway_url}/"


async def test_R20_whoever_waits_to_save_is_told_that_the_answer_was_stale(page: Page, stack: Stack) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(city="Turin")
    await ada.presses("Save changes")
    await ada.sees("confirm")

    await posts_a_stale_answer(ada)

    await ada.sees_problem("sign-in-expired")
