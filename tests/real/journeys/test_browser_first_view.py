"""What a browser asks for: six files for the first screen, and at the next visit one, the page itself."""

import asyncio
import re
from typing import Final

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Route

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults
from tests.stage.patience import PATIENCE

# What came over the network, a 304 included: an address below the origin, and how often.
_CAME: Final = """() => {
    const entries = ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type));
    return entries.filter(({transferSize}) => transferSize > 0).map(({name}) => new URL(name).pathname);
}"""
_TELLS_OF_FAILURES: Final = """addEventListener('error', ({target}) => {
    if (target !== globalThis) globalThis.partHasFailed(target.src ?? target.href);
}, true);"""


async def opened(context: BrowserContext, stack: Stack, screen: str) -> Page:
    """Open the first page in a new tab, and wait for its screen and for what is fetched ahead."""
    page = await context.new_page()
    await page.goto(stack.gateway_url)
    await Person(page, stack).sees(screen)
    await page.wait_for_load_state("networkidle")
    return page


async def test_a_first_visit_fetches_six_files_for_the_first_screen_and_each_once(
    context: BrowserContext, stack: Stack
) -> None:
    warnings: list[str] = []
    context.on("console", lambda message: _note(message, warnings))

    page = await opened(context, stack, "signed-out")

    came: list[str] = await page.evaluate(_CAME)
    assert len(came) == len(set(came))
    assert all(path.startswith("/assets/") for path in came if "." in path), came
    files = [path.split("/", 3)[3] for path in came if "." in path]
    assert {*files[:6]} == {"not-loaded.js", "choices.js", "page.css", "api.js", "app.js", "words/en.js"}
    assert came.count("/api/session") == 1
    assert warnings == []


async def test_the_session_is_asked_for_while_modules_are_still_on_their_way(
    page: Page, stack: Stack
) -> None:
    asked = asyncio.Event()

    async def once_the_session_is_asked_for(route: Route) -> None:
        await asked.wait()
        await route.continue_()

    page.on("request", lambda request: asked.set() if request.url.endswith("/api/session") else None)
    for part in ("app", "words/en"):
        await page.route(f"**/{part}.js", once_the_session_is_asked_for)

    await page.goto(stack.gateway_url, wait_until="commit")

    await Person(page, stack).sees("signed-out")


async def test_a_second_visit_asks_for_the_page_alone(context: BrowserContext, stack: Stack) -> None:
    await (await opened(context, stack, "signed-out")).close()

    page = await opened(context, stack, "signed-out")

    assert [path for path in await page.evaluate(_CAME) if not path.startswith("/api/")] == ["/"]


async def test_L7_a_page_of_a_build_that_is_known_no_more_loads_itself_again_and_is_whole(
    page: Page, stack: Stack, page_faults: PageFaults
) -> None:
    page_faults.expect("")
    pages = 0

    async def of_another_release(route: Route) -> None:
        nonlocal pages
        answer = await route.fetch()
        pages += 1
        text = await answer.text()
        unknown = re.sub(r"/assets/[0-9a-f]{32}/", f"/assets/{'0' * 32}/", text)
        await route.fulfill(response=answer, body=unknown if pages == 1 else text)

    await page.route(f"{stack.gateway_url}/", of_another_release)

    await page.goto(stack.gateway_url)

    await Person(page, stack).sees("signed-out")
    assert pages == 2
    builds = await page.evaluate("() => [...document.scripts].map(({src}) => src.split('/')[4])")
    assert len(set(builds)) == 1


@pytest.mark.parametrize("part", ["app.js", "api.js"])
async def test_L7_a_page_loads_itself_again_also_where_a_part_fails_before_the_script_that_does_so_has_come(
    page: Page, stack: Stack, page_faults: PageFaults, part: str
) -> None:
    page_faults.expect("")
    failed, is_loaded_again, pages = asyncio.Event(), asyncio.Event(), 0

    async def count(route: Route) -> None:
        nonlocal pages
        pages += 1
        if pages > 1:
            is_loaded_again.set()
        await route.continue_()

    async def is_gone_at_first(route: Route) -> None:
        if pages > 1:
            await route.continue_()
        else:
            await route.fulfill(status=404, body="")

    async def last(route: Route) -> None:
        await failed.wait()
        await route.continue_()

    await page.route(f"{stack.gateway_url}/", count)
    await page.route(f"**/{part}", is_gone_at_first)
    await page.route("**/not-loaded.js", last)
    await page.add_init_script(_TELLS_OF_FAILURES)
    await page.expose_function("partHasFailed", lambda file: failed.set() if part in file else None)

    await page.goto(stack.gateway_url, wait_until="commit")
    async with asyncio.timeout(PATIENCE):
        await is_loaded_again.wait()

    await Person(page, stack).sees("signed-out")
    assert pages == 2


def _note(message: ConsoleMessage, warnings: list[str]) -> None:
    if message.type == "warning":
        warnings.append(message.text)
