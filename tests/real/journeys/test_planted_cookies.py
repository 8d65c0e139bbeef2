"""A1 in Chromium over TLS: a sibling host and another port plant cookies, and the person stays herself or is told."""

import datetime as dt
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web
from playwright.async_api import Page, expect

from devstack.https_certificate import load_or_make
from gateway.app import create_app
from local_tenant.app import create_app as create_tenant
from local_tenant.configuration import BUNDLED, load
from local_tenant.signing import KeyRing, SigningKey
from tests.stage.browser import NewContext, PageFaults
from tests.stage.other_front_end import ADA, GRACE
from tests.stage.ports import free_port
from tests.stage.tenant import API_SECRET, GATEWAY_SECRET, MovableClock
from tests.stage.world import CLIENT, PATIENT, gateway_settings, served

# Chromium leads these to this computer by itself; the part behind the first dot is a site like any other.
SITE: Final = "stepup.localhost"
OURS, SIBLING = f"app.{SITE}", f"evil.{SITE}"
NAME: Final = "__Host-Http-session"
OF_THE_SITE: Final = f"Domain={SITE}; Path=/; Secure"
_LOOK: Final = "async () => (await fetch('/api/session', {headers: {'X-CSRF': '1'}})).json()"
# The page's stream ends and is opened anew, and refused.
_LISTEN_ANEW: Final = "() => ['pagehide', 'pageshow'].forEach((type) => dispatchEvent(new Event(type)))"
# As a browser does with a tab behind another one, and again in front.
_HIDE: Final = """() => {
    Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""
_SHOW: Final = """() => {
    delete document.visibilityState;
    document.dispatchEvent(new Event('visibilitychange'));
}"""

HERSELF, TOLD, SIGNED_OUT, STRANGER = "herself", "told", "signed out", "a stranger"


@dataclass(frozen=True)
class Way:
    """How a stranger plants a session: by answers of `host`, or by a script of its page; what becomes of the person."""

    lines: list[str] = field(default_factory=list)
    host: str = SIBLING
    script: str = ""
    ends: str = HERSELF


# `{}` is the value of the stranger's own session cookie.
WAYS: Final = {
    "white space in a value": Way([f"x=1 {NAME}={{}}; {OF_THE_SITE}"]),
    "white space in a value of a longer path": Way([f"x=1 {NAME}={{}}; Domain={SITE}; Path=/api; Secure"]),
    "a tab in a value": Way([f"x=1\t{NAME}={{}}; {OF_THE_SITE}"]),
    "a wide blank before the name": Way([f"\u2000{NAME}={{}}; {OF_THE_SITE}"]),
    "a no-break space before the name": Way([f"\u00a0{NAME}={{}}; {OF_THE_SITE}"]),
    "the very name for the whole site": Way([f"{NAME}={{}}; {OF_THE_SITE}"]),
    "the name in other letters": Way([f"{NAME.upper()}={{}}; {OF_THE_SITE}"]),
    "a nameless cookie": Way([f"={NAME}={{}}; {OF_THE_SITE}"]),
    "a nameless cookie behind a blank": Way([f"= {NAME}={{}}; {OF_THE_SITE}"]),
    "a quotation around ours": Way([f'a="; {OF_THE_SITE}', f'z="; {OF_THE_SITE}']),
    "a comma": Way([f"$Version=1, {NAME}={{}}; {OF_THE_SITE}"]),
    "a script, white space": Way(script=f"document.cookie = 'x=1 {NAME}={{}}; {OF_THE_SITE}'"),
    "a script, a wide blank": Way(script=f"document.cookie = '\\u2000{NAME}={{}}; {OF_THE_SITE}'"),
    "a script, no name": Way(script=f"document.cookie = '={NAME}={{}}; {OF_THE_SITE}'"),
    "another port, white space": Way([f"x=1 {NAME}={{}}; Path=/; Secure"], host=OURS),
    "another port, a script": Way(script=f"document.cookie = '{NAME}={{}}; Path=/; Secure'", host=OURS),
    "another port, a cookie of a partition": Way(
        [f"{NAME}={{}}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"], host=OURS, ends=TOLD
    ),
    "more cookies than a browser keeps": Way(
        [f"c{number}=1; {OF_THE_SITE}" for number in range(240)], ends=SIGNED_OUT
    ),
    # Cookies know no ports: the limit that docs/explanation/threat-model.md names, and why nothing else may run there.
    "another port, the very cookie": Way(
        [f"{NAME}={{}}; Path=/; Secure; HttpOnly; SameSite=Strict"], host=OURS, ends=STRANGER
    ),
}


@asynccontextmanager
async def over_tls(app: web.Application, pem: Path, port: int) -> AsyncIterator[None]:
    """Serve an application under every name of this computer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def planting(pem: Path, port: int) -> AsyncIterator[list[str]]:
    """Serve a page that sets the cookies in the list."""
    lines: list[str] = []

    async def page(_request: web.Request) -> web.Response:
        response = web.Response(
            text="<!doctype html><link rel=icon href=data:,><title>A sibling</title>",
            content_type="text/html",
        )
        for line in lines:
            response.headers.add("Set-Cookie", line)
        return response

    app = web.Application()
    app.router.add_get("/", page)
    async with over_tls(app, pem, port):
        yield lines


@asynccontextmanager
async def product(
    valkey: str, signing_keys: Callable[[], SigningKey], pem: Path, port: int
) -> AsyncIterator[None]:
    """Serve the gateway as the site's `app`, with a tenant that knows it."""
    ours, tenant_url = f"https://{OURS}:{port}", f"http://127.0.0.1:{free_port()}"
    values = {
        "GATEWAY_URL": ours,
        "GATEWAY_SECRET": GATEWAY_SECRET,
        "GATEWAY_CERTIFICATE": "",
        "API_SECRET": API_SECRET,
        "API_CERTIFICATE": "",
    }
    tenant = create_tenant(
        load(BUNDLED, values),
        public_url=tenant_url,
        clock=MovableClock(time.time()),
        keys=KeyRing(signing_keys),
    )
    settings = gateway_settings(REDIS_URL=valkey, AUTHORITY_MAP=tenant_url)
    # No operator may have both, a map and a name that others can reach; here both are this computer.
    settings = settings.model_copy(update={"public_url": ours})
    async with AsyncExitStack() as lives:
        await lives.enter_async_context(served(tenant, int(tenant_url.rpartition(":")[2])))
        app = create_app(settings, redis_limits=PATIENT, spa=CLIENT)
        await lives.enter_async_context(over_tls(app, pem, port))
        yield


async def signs_in(page: Page, ours: str, who: tuple[str, str]) -> None:
    """Sign in, with the password where the tenant does not know this browser."""
    await page.goto(f"{ours}/auth/sign-in")
    await page.wait_for_selector("input[name=password], main[data-screen=profile]")
    if await page.locator("input[name=password]").count():
        await page.fill("input[name=email]", who[0])
        await page.fill("input[name=password]", who[1])
        await page.click("form button")
    await page.wait_for_selector("main[data-screen=profile]")


async def who_looks(page: Page, ours: str) -> str:
    """Ask who is signed in, from a page of ours that asks nothing by itself."""
    await page.goto(f"{ours}/favicon.svg")
    about = await page.evaluate(_LOOK)
    if about["authenticated"]:
        return HERSELF if about["user"]["username"] == ADA[0] else STRANGER
    return TOLD if about.get("reason") == "duplicate-cookie" else SIGNED_OUT


async def test_A1_S12_a_cookie_that_a_sibling_plants_makes_nobody_somebody_else(
    tmp_path: Path,
    new_context: NewContext,
    page_faults: PageFaults,
    valkey: str,
    signing_keys: Callable[[], SigningKey],
) -> None:
    page_faults.expect(r"/favicon\.ico")  # a browser's own idea, where a picture is all that is shown
    port, evil = free_port(), free_port()
    ours = f"https://{OURS}:{port}"
    pem = load_or_make(tmp_path / "site.pem", dt.datetime.now(dt.UTC), OURS)
    async with product(valkey, signing_keys, pem, port), planting(pem, evil) as lines:
        context, other = (
            await new_context(ignore_https_errors=True),
            await new_context(ignore_https_errors=True),
        )
        page, mallory_s = await context.new_page(), await other.new_page()
        await signs_in(page, ours, ADA)
        await signs_in(mallory_s, ours, GRACE)
        (theirs,) = [cookie.get("value") for cookie in await other.cookies() if cookie.get("name") == NAME]
        before = await context.cookies()

        ends = {}
        for what, way in WAYS.items():
            await context.clear_cookies()
            await context.add_cookies(before)  # type: ignore[arg-type] # what was read is what is set
            assert await who_looks(page, ours) == HERSELF
            lines[:] = [line.format(theirs) for line in way.lines]
            await page.goto(f"https://{way.host}:{evil}/")
            if way.script:
                await page.evaluate(way.script.format(theirs))
            ends[what] = await who_looks(page, ours)
            if ends[what] == TOLD:
                assert await who_looks(page, ours) == SIGNED_OUT, "the browser has forgotten both"
                await signs_in(page, ours, ADA)
                assert await who_looks(page, ours) == HERSELF, "and she is in again at once"
                await page.goto(f"https://{way.host}:{evil}/")
                await page.goto(f"{ours}/")
                await page.wait_for_selector("main[data-screen=signed-out]")
                await (
                    page.get_by_role("link", name="Sign in")
                    .or_(page.get_by_role("button", name="Sign in"))
                    .first.click()
                )
                await page.wait_for_selector("main[data-screen=profile]")

        assert ends == {what: way.ends for what, way in WAYS.items()}

        lines[:] = [line.format(theirs) for line in WAYS["another port, a cookie of a partition"].lines]
        # Wherever she is when it is planted: she comes back to a page of ours, or one is open beside it, in view or
        # not. One that comes into view asks at once who is signed in, and listens, which asks once more.
        for comes_back_to in ("a page", "a page in view", "a page that was hidden"):
            async with page.expect_response("**/api/session/events"):
                await signs_in(page, ours, ADA)
            if comes_back_to == "a page":
                await page.goto(f"https://{OURS}:{evil}/")
                await page.goto(ours)
            else:
                is_hidden = comes_back_to == "a page that was hidden"
                if is_hidden:
                    await page.evaluate(_HIDE)
                await (await context.new_page()).goto(f"https://{OURS}:{evil}/")
                await page.evaluate(_SHOW if is_hidden else _LISTEN_ANEW)
            await expect(page.locator(".notice")).to_contain_text(
                "two cookies of this service came under one name"
            )
            await page.get_by_role("button", name="Sign in").click()
            await page.wait_for_selector("main[data-screen=profile]")
