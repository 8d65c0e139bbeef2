"""Before the first screen every error has a way out: each file of the client is broken, in turn.

A way out is a screen, which has buttons, or the words of index.html with their link; never "Loading…" for ever.
Each file is broken in one of the ways, the next in the next, and one of each kind in all: every page is loaded up to
four times, and the loader treats all files alike.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import pytest
from playwright.async_api import Browser, Page, Route
from playwright.async_api import Error as PlaywrightError

from devstack.stack import Stack
from tests.real.journeys.answers import never
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults
from tests.stage.patience import PATIENCE
from tests.unit.spa.files import loaded_with, names, of_language

# What the page is made of before anything can be shown, but for what app.js itself needs.
VITAL: Final = sorted({*loaded_with("app.js"), *of_language("en")})
OTHERS: Final = sorted({*names(".js"), *names(".css")} - {*VITAL, *of_language("de")})
VIEWS: Final = {
    "views/profile.js": "/",
    "views/edit.js": "/edit",
    "views/confirm.js": "/confirm",
    "views/check.js": "/check",
    "views/sessions.js": "/sessions",
    "views/claims.js": "/sign-in-details",
    "views/problem.js": "/no-such-page",
}


async def throws(route: Route) -> None:
    """Give a script that fails while it starts."""
    await route.fulfill(content_type="text/javascript", body="throw new Error('broken');")


async def is_gone(route: Route) -> None:
    """Answer as after a deployment that has no such file any more."""
    await route.fulfill(status=404, body="")


async def is_a_page(route: Route) -> None:
    """Answer as a network does that wants a sign-in of its own first."""
    await route.fulfill(content_type="text/html", body="<h1>Log in to this Wi-Fi</h1>")


BREAKAGES: Final = {breakage.__name__: breakage for breakage in (throws, is_gone, is_a_page, never)}


def share(parts: Iterable[str], how: str, everyway: str) -> list[str]:
    """Return the parts whose turn it is to be broken in this way; `everyway` is broken in all."""
    ways = list(BREAKAGES)
    turns = [part for number, part in enumerate(parts) if ways[number % len(ways)] == how]
    return list(dict.fromkeys([everyway, *turns]))


# What somebody sees who waits: a screen, the way out, or neither.
_SEEN: Final = """() => {
    const seen = (one) => one.checkVisibility({visibilityProperty: true});
    const link = [...document.querySelectorAll('a[href=""]')].find(seen);
    if (document.querySelector('main[data-screen]:not([aria-busy])')) return 'screen';
    const loading = [...document.querySelectorAll('.loading')].some((one) => one.checkVisibility());
    return link && !loading ? 'way out' : '';
}"""


async def comes_to(page: Page, address: str, wanted: str) -> str:
    """Open an address and wait, by a clock that runs fast, for what is wanted; tell what there is at the end."""
    await page.goto(address, wait_until="commit")
    ends = time.monotonic() + PATIENCE
    seen = before = ""
    while time.monotonic() < ends:
        try:
            seen, before = str(await page.evaluate(_SEEN)), seen
            # Twice, as without its style sheets a page shows for a moment what it will hide.
            if seen == before == wanted:
                return seen
            await page.clock.run_for(400)
        except PlaywrightError:
            # The page is loading itself anew just now.
            seen = ""
        await asyncio.sleep(0.03)
    return seen or "Loading…"


async def what_each_comes_to(
    chromium: Browser, address: str, wanted: dict[str, str], breakage: Callable[[Route], Awaitable[None]]
) -> dict[str, str]:
    """Break each of the parts in a browser of its own, some at a time; tell where that leads."""
    turns = asyncio.Semaphore(4)

    async def one(part: str) -> tuple[str, str]:
        async with turns, await chromium.new_context() as context:
            page = await context.new_page()
            await page.clock.install()
            await page.route(f"**/{part}", breakage)
            return part, await comes_to(page, address, wanted[part])

    return dict(await asyncio.gather(*map(one, wanted)))


@pytest.mark.parametrize("how", BREAKAGES)
async def test_X9_each_script_that_the_first_screen_needs_has_a_way_out_where_it_is_broken(
    chromium: Browser, stack: Stack, how: str
) -> None:
    wanted = dict.fromkeys(share(VITAL, how, "app.js"), "way out")

    assert await what_each_comes_to(chromium, stack.gateway_url, wanted, BREAKAGES[how]) == wanted


@pytest.mark.parametrize("how", BREAKAGES)
async def test_X9_a_page_comes_up_without_what_it_can_do_without(
    chromium: Browser, stack: Stack, how: str
) -> None:
    # A script in the head that never comes holds up the page itself.
    held_up = {"choices.js": "way out"} if how == "never" else {}
    wanted = {**dict.fromkeys(share(OTHERS, how, "choices.js"), "screen"), **held_up}

    assert await what_each_comes_to(chromium, stack.gateway_url, wanted, BREAKAGES[how]) == wanted


@pytest.mark.parametrize("how", BREAKAGES)
async def test_X9_each_view_has_a_way_out_where_it_is_broken(
    page: Page, stack: Stack, page_faults: PageFaults, how: str
) -> None:
    page_faults.expect("")
    await Person(page, stack).has_signed_in()
    await page.clock.install()

    # A problem's own view is what would say so.
    wanted = {**dict.fromkeys(VIEWS, "screen"), "views/problem.js": "way out"}
    for view in share(VIEWS, how, "views/problem.js"):
        await page.route(f"**/{view}", BREAKAGES[how])
        assert (view, await comes_to(page, stack.gateway_url + VIEWS[view], wanted[view])) == (
            view,
            wanted[view],
        )
        await page.unroute(f"**/{view}")
