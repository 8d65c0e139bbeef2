"""Before the first screen every error has a way out: each file of the client is broken, in turn.

A way out is a screen, which has buttons, or the words of index.html with their link; never "Loading…" for ever.
What the first screen is made of is broken in each of the ways. Every other file is in one of them, the next in the
next, and one of each kind in all: the loader treats all files alike.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, Route
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from devstack.stack import Stack
from gateway.edge.spa_files import SpaFiles
from tests.real.journeys.answers import never
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults
from tests.stage.patience import PATIENCE
from tests.unit.spa.files import SPA

# Before anything can be shown.
VITAL: Final = ("api.js", "app.js", "words/en.js")
OTHERS: Final = sorted(
    {name for name in SpaFiles(SPA).current().sent if name.endswith((".js", ".css"))}
    - {*VITAL, "words/de.js"}
)
VIEWS: Final = {
    "views/edit.js": "/edit",
    "views/confirm.js": "/confirm",
    "views/check.js": "/check",
    "views/sessions.js": "/sessions",
    "views/activity.js": "/activity",
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


# The client's waits are of seconds, and each ends this many times as soon.
_QUICKLY: Final = """() => {
    const wait = setTimeout;
    globalThis.setTimeout = (work, milliseconds = 0, ...rest) => wait(work, milliseconds / 10, ...rest);
}"""

# As after the last of the loads that the loader makes of itself; it counts them in the history's entry.
_FOR_THE_LAST_TIME: Final = """() => {
    if (history.state === null) history.replaceState({loads: {count: 3, at: Date.now()}}, '');
}"""


# How many parts of a kind are loaded again: the loader treats all files of a kind alike.
_LOADED_AGAIN: Final = 2


async def comes_to(page: Page, address: str, wanted: str) -> str:
    """Open an address and wait for what is wanted; tell what there is at the end."""
    await page.goto(address, wait_until="commit")
    with suppress(PlaywrightTimeout):
        # Twice, as without its style sheets a page shows for a moment what it will hide.
        await page.wait_for_function(
            f"""(wanted) => {{
                const [before, seen] = [globalThis.seenBefore, ({_SEEN})()];
                globalThis.seenBefore = seen;
                return before === wanted && seen === wanted;
            }}""",
            arg=wanted,
            polling=30,
            timeout=PATIENCE * 1000,
        )
        return wanted
    return str(await page.evaluate(_SEEN)) or "Loading…"


async def what_each_comes_to(
    context: BrowserContext,
    address: str,
    wanted: dict[str, str],
    breakage: Callable[[Route], Awaitable[None]],
) -> dict[str, str]:
    """Break one of the parts after the other; tell where that leads.

    The first two are loaded as often as the loader does by itself; of the others only the last load is looked at.
    """
    came_to = {}
    for number, (part, end) in enumerate(wanted.items()):
        # A page of its own: that of the part before may be just loading itself again.
        page = await context.new_page()
        await page.add_init_script(f"({_QUICKLY})()")
        if number >= _LOADED_AGAIN:
            await page.add_init_script(f"({_FOR_THE_LAST_TIME})()")
        await page.route(f"**/{part}", breakage)
        came_to[part] = await comes_to(page, address, end)
        await leave(page)
        await page.close()
    return came_to


async def leave(page: Page) -> None:
    """Lead a page to where it does not load itself again: Chromium may never close one that does so just then."""
    while page.url != "about:blank":
        with suppress(PlaywrightError):  # interrupted by the page's own load
            await page.goto("about:blank")


@pytest.mark.parametrize("how", BREAKAGES)
async def test_X9_each_script_that_the_first_screen_needs_has_a_way_out_where_it_is_broken(
    context: BrowserContext, stack: Stack, page_faults: PageFaults, how: str
) -> None:
    page_faults.expect("")
    wanted = dict.fromkeys(VITAL, "way out")

    assert await what_each_comes_to(context, stack.gateway_url, wanted, BREAKAGES[how]) == wanted


@pytest.mark.parametrize("how", BREAKAGES)
async def test_X9_a_page_comes_up_without_what_it_can_do_without(
    context: BrowserContext, stack: Stack, page_faults: PageFaults, how: str
) -> None:
    page_faults.expect("")
    # A script in the head that never comes holds up the page itself.
    held_up = {"choices.js": "way out"} if how == "never" else {}
    parts = ["page.css", *share(OTHERS, how, "choices.js")]
    wanted = {**dict.fromkeys(parts, "screen"), **held_up}

    assert await what_each_comes_to(context, stack.gateway_url, wanted, BREAKAGES[how]) == wanted


@pytest.mark.parametrize("how", BREAKAGES)
async def test_X9_each_view_has_a_way_out_where_it_is_broken(
    page: Page, stack: Stack, page_faults: PageFaults, how: str
) -> None:
    page_faults.expect("")
    await Person(page, stack).has_signed_in()
    await page.add_init_script(f"({_QUICKLY})()")

    # A problem's own view is what would say so.
    wanted = {**dict.fromkeys(VIEWS, "screen"), "views/problem.js": "way out"}
    for number, view in enumerate(share(VIEWS, how, "views/problem.js")):
        if number == _LOADED_AGAIN:
            await page.add_init_script(f"({_FOR_THE_LAST_TIME})()")
        await page.route(f"**/{view}", BREAKAGES[how])
        assert (view, await comes_to(page, stack.gateway_url + VIEWS[view], wanted[view])) == (
            view,
            wanted[view],
        )
        await page.unroute(f"**/{view}")
