"""A front end of another origin in Chromium, over TLS: it signs a person in, calls, hears, confirms and signs out.

And what the browser keeps from pages of a sibling that nobody named.
"""

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page

from devstack.https_certificate import load_or_make
from gateway.app import create_app
from local_tenant.app import create_app as create_tenant
from local_tenant.configuration import BUNDLED, load
from local_tenant.signing import KeyRing, SigningKey
from tests.real.journeys.test_planted_cookies import over_tls
from tests.stage.browser import NewContext, PageFaults
from tests.stage.other_front_end import ADA
from tests.stage.ports import free_port
from tests.stage.tenant import API_SECRET, GATEWAY_SECRET, MovableClock
from tests.stage.visitor import Visitor
from tests.stage.world import CLIENT, PATIENT, gateway_settings, served

# Chromium leads these to this computer by itself; the part behind the first dot is a site like any other.
SITE: Final = "stepup.localhost"
PAGE: Final = "<!doctype html><link rel=icon href=data:,><title>Another front end</title><h1></h1>"
_CALL: Final = """async ([url, method, body]) => {
    const options = {method, credentials: 'include', headers: {'X-CSRF': '1'}};
    if (body) {
        options.headers['Content-Type'] = 'application/json';
        options.body = JSON.stringify(body);
    }
    try {
        const answer = await fetch(url, options);
        const text = await answer.text();
        return {status: answer.status, etag: answer.headers.get('ETag'), date: answer.headers.get('Date'),
            body: text ? JSON.parse(text) : null};
    } catch (error) {
        return {status: 0, error: String(error)};
    }
}"""
_NAVIGATE: Final = "(url) => { location.href = url; }"
_LISTEN: Final = """(url) => new Promise((resolve) => {
    const events = new EventSource(url, {withCredentials: true});
    events.onopen = () => { window.heard = new Promise((ended) => events.addEventListener('session-ended', ended));
        resolve('open'); };
    events.onerror = () => { if (events.readyState === 2) resolve('closed'); };
})"""


class Places:
    """Where everybody is."""

    def __init__(self) -> None:
        self.ports = {name: free_port() for name in ("bff", "app", "evil")}
        self.gateway, self.app, self.evil = (
            f"https://{name}.{SITE}:{port}" for name, port in self.ports.items()
        )
        self.tenant = f"http://127.0.0.1:{free_port()}"


def front_end() -> web.Application:
    """Return a front end whose router knows every address."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    return app


@asynccontextmanager
async def everybody(
    valkey: str, signing_keys: Callable[[], SigningKey], folder: Path
) -> AsyncIterator[Places]:
    """Serve the gateway, the tenant, the front end that is named and a sibling that is not."""
    places = Places()
    pem = load_or_make(folder / "site.pem", dt.datetime.now(dt.UTC), f"bff.{SITE}")
    values = {
        "GATEWAY_URL": places.gateway,
        "GATEWAY_SECRET": GATEWAY_SECRET,
        "GATEWAY_CERTIFICATE": "",
        "API_SECRET": API_SECRET,
        "API_CERTIFICATE": "",
    }
    tenant = create_tenant(
        load(BUNDLED, values),
        public_url=places.tenant,
        clock=MovableClock(time.time()),
        keys=KeyRing(signing_keys),
    )
    # No operator may have both, a map and a name that others can reach; here both are this computer.
    settings = gateway_settings(REDIS_URL=valkey, AUTHORITY_MAP=places.tenant).model_copy(
        update={"public_url": places.gateway, "allowed_origins": (places.app,)}
    )
    async with AsyncExitStack() as lives:
        await lives.enter_async_context(served(tenant, int(places.tenant.rpartition(":")[2])))
        app = create_app(settings, redis_limits=PATIENT, spa=CLIENT)
        for name, served_there in (("bff", app), ("app", front_end()), ("evil", front_end())):
            await lives.enter_async_context(over_tls(served_there, pem, places.ports[name]))
        yield places


@pytest_asyncio.fixture(loop_scope="session")
async def places(
    valkey: str, signing_keys: Callable[[], SigningKey], tmp_path: Path
) -> AsyncIterator[Places]:
    """Serve everybody while a test runs."""
    async with everybody(valkey, signing_keys, tmp_path) as served_at:
        yield served_at


async def call(page: Page, url: str, method: str = "GET", body: object = None) -> Any:
    """Call as the page's own script does."""
    return await page.evaluate(_CALL, [url, method, body])


async def signs_in(page: Page, places: Places, path: str) -> None:
    """Sign in from the front end's page, and come back to it."""
    await page.goto(f"{places.app}/")
    await page.evaluate(_NAVIGATE, f"{places.gateway}/auth/sign-in?return_to={places.app}{path}")
    await page.fill("input[name=email]", ADA[0])
    await page.fill("input[name=password]", ADA[1])
    await page.click("form button")
    await page.wait_for_url(f"{places.app}{path}")


async def test_S24_a_front_end_of_another_origin_lives_the_whole_story(
    places: Places, new_context: NewContext, page_faults: PageFaults
) -> None:
    page_faults.expect(r"CORS policy|ERR_FAILED|EventSource")
    context = await new_context(ignore_https_errors=True)
    page = await context.new_page()

    assert (await call(page, f"{places.gateway}/api/session"))["status"] == 0, "a page of nobody's"
    await signs_in(page, places, "/notes/7")
    about = await call(page, f"{places.gateway}/api/session")
    assert (about["status"], about["body"]["user"]["username"]) == (200, ADA[0])
    assert about["date"]
    profile = await call(page, f"{places.gateway}/api/profile")
    assert (profile["status"], bool(profile["etag"])) == (200, True)
    nowhere = await call(page, f"{places.gateway}/api/nowhere", "PUT", {})
    assert (nowhere["status"], nowhere["body"]["type"]) == (404, "/problems/not-found")

    refused = await call(page, f"{places.gateway}/api/profile", "PATCH", {"city": "Turin"})
    assert (refused["status"], refused["body"]["type"]) == (403, "/problems/step-up-required")
    await page.evaluate(
        _NAVIGATE, f"{places.gateway}{refused['body']['redirect']}&return_to={places.app}/notes/8"
    )
    await page.wait_for_selector("input[name=code]")
    async with aiohttp.ClientSession() as session:
        code = await Visitor(session, places.tenant).newest_code(ADA[0])
    await page.fill("input[name=code]", code)
    await page.click("form button")
    await page.wait_for_url(f"{places.app}/notes/8")
    assert (await call(page, f"{places.gateway}/api/session"))["body"]["access"]["profile.edit"] == "granted"

    assert await page.evaluate(_LISTEN, f"{places.gateway}/api/session/events") == "open"
    elsewhere = await context.new_page()
    await elsewhere.goto(f"{places.app}/")
    out = await call(elsewhere, f"{places.gateway}/auth/sign-out?return_to={places.app}/bye", "POST")
    await page.evaluate("() => window.heard")
    await elsewhere.evaluate(_NAVIGATE, out["body"]["redirect"])
    await elsewhere.wait_for_url(f"{places.app}/bye")
    assert (await call(page, f"{places.gateway}/api/session"))["body"]["authenticated"] is False

    await page.evaluate(_NAVIGATE, f"{places.gateway}/auth/step-up?return_to={places.app}/notes/9")
    await page.wait_for_url(f"{places.app}/problem?type=sign-in-required&*return_to=%2Fnotes%2F9")


async def test_S23_S24_a_sibling_that_nobody_named_reads_and_begins_nothing(
    places: Places, new_context: NewContext, page_faults: PageFaults
) -> None:
    page_faults.expect(r"CORS policy|ERR_FAILED|EventSource")
    page = await (await new_context(ignore_https_errors=True)).new_page()
    await signs_in(page, places, "/notes")

    await page.goto(f"{places.evil}/")
    for path, method in (("/api/session", "GET"), ("/api/profile", "PATCH"), ("/auth/sign-out", "POST")):
        assert (await call(page, places.gateway + path, method))["status"] == 0, path
    assert await page.evaluate(_LISTEN, f"{places.gateway}/api/session/events") == "closed"
    await page.evaluate(_NAVIGATE, f"{places.gateway}/auth/sign-in?return_to={places.app}/notes")
    await page.wait_for_url(f"{places.gateway}/")
    await page.goto(f"{places.app}/")
    assert (await call(page, f"{places.gateway}/api/session"))["body"]["authenticated"] is True
