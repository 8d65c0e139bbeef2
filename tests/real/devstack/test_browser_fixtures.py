"""The browser's fixtures themselves: what they catch, and that they live beside other async tests."""

import asyncio

import pytest
from playwright.async_api import Page

from tests.stage.browser import NewContext, PageFaults


async def test_a_page_opens(page: Page) -> None:
    await page.goto("data:text/html,<h1>Good morning</h1>")

    assert await page.get_by_role("heading").inner_text() == "Good morning"


async def test_an_async_test_beside_the_browser_has_a_loop_of_its_own() -> None:
    await asyncio.sleep(0)


def test_a_plain_test_beside_the_browser_has_no_loop() -> None:
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


async def test_each_context_is_another_person(new_context: NewContext) -> None:
    ada, grace = await new_context(), await new_context()
    await ada.add_cookies([{"name": "who", "value": "ada", "url": "http://localhost:1"}])

    assert await grace.cookies() == []


async def test_exceptions_and_policy_violations_are_faults(page: Page, page_faults: PageFaults) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"script-src 'nonce-a'\">"
    async with (
        page.expect_event("pageerror"),
        page.expect_console_message(lambda message: "Content Security Policy" in message.text),
    ):
        await page.set_content(policy + "<script nonce=a>setTimeout(() => { throw Error('lost') })</script>")
        await page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: 1}))"
        )

    faults = page_faults.unexpected()
    page_faults.expect("lost|Content Security Policy")

    assert [any(word in fault for fault in faults) for word in ("lost", "Content Security Policy")] == [
        True,
        True,
    ]
    assert page_faults.unexpected() == []
