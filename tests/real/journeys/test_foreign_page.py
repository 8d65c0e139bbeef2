"""A page of another origin, open in the browser of somebody who is signed in: it reads, changes and begins nothing."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults

PAGE: Final = Path(__file__).with_name("foreign_page.html")
READ: Final = (
    "/",
    "/app.js",
    "/api/session",
    "/api/session/claims",
    "/api/session/events",
    "/api/sessions",
    "/api/profile",
    "/api/openapi.json",
    "/auth/sign-in",
    "/auth/step-up?action=profile.edit",
)
CHANGED: Final = (
    ("PATCH", "/api/profile", '{"city": "Elsewhere"}'),
    ("DELETE", "/api/sessions", ""),
    ("POST", "/auth/sign-out", ""),
    ("POST", "/auth/callback", "code=made-up&state=made-up"),
)
TRY: Final = "([base, gets, changes]) => attempts(base, gets, changes)"


async def foreign(_request: web.Request) -> web.Response:
    """Answer with the page, without any policy of its own."""
    return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html")


# The first is another site; the second is another origin of the same site, for which SameSite is no obstacle.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_S10_S19_S23_S25_a_foreign_page_reads_changes_and_begins_nothing(
    page: Page, stack: Stack, page_faults: PageFaults, host: str
) -> None:
    page_faults.expect("")  # what a foreign page is refused is told in its console
    assert urlsplit(stack.gateway_url).hostname == "localhost"
    ada = Person(page, stack)
    await ada.has_signed_in()
    cookies = sorted(one.get("name", "") for one in await page.context.cookies(stack.gateway_url))
    session, city = await ada.session_cookies(), await ada.held_by_graph("city")
    app = web.Application()
    app.router.add_get("/", foreign)

    async with TestServer(app, host=host) as server:
        visit = await page.context.new_page()
        await visit.goto(str(server.make_url("/").with_host(host)))
        got = await visit.evaluate(
            TRY,
            [stack.gateway_url, list(READ), [list(one) for one in CHANGED]],
        )
        open_to_all = await visit.evaluate(
            TRY, [str(server.make_url("").with_host(host)).rstrip("/"), ["/"], []]
        )
        shown = [await frame.evaluate("document.body.innerText") for frame in visit.frames[1:]]

    assert got == []
    assert {"GET /: read 200", "frame /: read"} <= set(open_to_all), "the page would tell what it got"
    assert not [text for text in shown if "Lovelace" in text or "profile" in text]
    assert await ada.session_cookies() == session
    assert sorted(one.get("name", "") for one in await page.context.cookies(stack.gateway_url)) == cookies
    assert await ada.held_by_graph("city") == city
    await ada.opens()
    await ada.sees("profile")
