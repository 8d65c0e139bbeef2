"""A person in a real browser: signs in, confirms, edits; reads the page as a person would, by roles and labels."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import Morsel
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, expect

from devstack.stack import Stack
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.patience import PATIENCE

EDIT_FIELDS = (
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "preferredLanguage",
)

_STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
_ACCESS_IS_STEP_UP = """async () => {
    const answer = await fetch('/api/session', {headers: {'X-CSRF': '1'}});
    return (await answer.json()).access['profile.edit'] === 'step-up';
}"""
_FOLLOW = """(path) => {
    const link = Object.assign(document.createElement('a'), {href: path});
    document.body.append(link);
    link.click();
    link.remove();
}"""
# A view by its address; what it imports is there as well once it has been imported.
_VIEWS_FETCHED: Final = """() => performance.getEntriesByType('resource')
    .map((one) => one.name).filter((name) => name.includes('/views/'))"""
_IMPORT_VIEWS: Final = f"() => Promise.all(({_VIEWS_FETCHED})().map((name) => import(name)))"
# What listens to other tabs and to the session's events once the first screen stands. The page has asked for it by
# then, so this takes no turn before it. The address is by a tag: a clock that tests turn takes the list of files away.
_IMPORT_KEEPING: Final = """() => import(document.querySelector('script[src$="/app.js"]').src
    .replace(/app.js$/, 'keeping.js')).then(() => undefined)"""
# Where it can be pressed: while an answer is waited for it can't.
_PRESS_TRY_AGAIN = """() => [...document.querySelectorAll('main button:not([aria-disabled])')]
    .find((one) => one.textContent.trim() === 'Try again')?.click()"""


@dataclass
class Person:
    """One person with one tab; another tab is another Person of the same context."""

    page: Page
    stack: Stack
    email: str = ADA[0]
    password: str = ADA[1]

    async def opens(self, path: str = "/") -> None:
        """Type an address."""
        await self.page.goto(self.stack.gateway_url + path)

    async def goes_to(self, path: str) -> None:
        """Follow a link to one of the client's screens, which loads nothing anew."""
        await self.page.evaluate(_FOLLOW, path)

    async def sees(self, screen: str) -> None:
        """Wait for one of the client's screens, drawn to its end: with title, focus and scroll."""
        await expect(self.page.locator(f"main[data-screen={screen}]:not([aria-busy])")).to_be_attached()

    async def settles(self) -> None:
        """Wait, at a screen, until the page listens: what happens to the session elsewhere reaches it from now on."""
        await self.page.evaluate(_IMPORT_KEEPING)

    async def sees_one_of(self, *screens: str) -> str:
        """Wait for any of these screens; tell which it is."""
        drawn = self.page.locator(", ".join(f"main[data-screen={one}]:not([aria-busy])" for one in screens))
        await expect(drawn).to_be_attached()
        return str(await drawn.get_attribute("data-screen"))

    async def sees_problem(self, slug: str) -> None:
        """Wait for a problem's screen."""
        await expect(self.page.locator(f'[data-problem="{slug}"]')).to_be_visible()

    def words(self, text: str) -> Locator:
        """Words on the screen: the status line, only heard, says many of them too, a moment later."""
        return self.page.get_by_role("main").get_by_text(text)

    async def presses(self, name: str) -> None:
        """Press a button, or follow a link, by its name."""
        button = self.page.get_by_role("button", name=name, exact=True)
        link = self.page.get_by_role("link", name=name, exact=True)
        await button.or_(link).first.click()

    async def signs_in(self) -> None:
        """Sign in from the first page, at the tenant, and come back."""
        await self.opens()
        await self.sees("signed-out")
        await self.presses("Sign in")
        await self.types_password()
        await self.sees("profile")

    async def has_signed_in(self, path: str = "/", screen: str = "profile") -> None:
        """Open a page in a browser that is signed in, for tests of what comes after.

        Signs in over HTTP, as this browser, and hands it the cookies: the way through the tenant's pages is for
        `signs_in`, and takes most of a short test's time.
        """
        async with self._over_http() as front_end:
            cookies = [*front_end.session.cookie_jar]
        await self._goes_on_with(cookies)
        await self.opens(path)
        await self.sees(screen)
        await self.settles()

    async def has_confirmed(self) -> None:
        """Open the form in a browser that is signed in and has confirmed, for tests of what comes after.

        Over HTTP, too; the way through the confirmation's pages is `confirms`.
        """
        async with self._over_http() as front_end:
            assert await front_end.step_up(_STEP_UP, self.email) == "/edit"
            cookies = [*front_end.session.cookie_jar]
        await self._goes_on_with(cookies)
        await self.opens("/edit")
        await self.sees("edit")
        await self.settles()

    @asynccontextmanager
    async def _over_http(self) -> AsyncIterator[OtherFrontEnd]:
        """Sign in without the browser, by its name."""
        agent = await self.page.evaluate("navigator.userAgent")
        async with OtherFrontEnd.open(self.stack.gateway_url, self.stack.tenant_url) as front_end:
            front_end.session.headers["User-Agent"] = agent
            assert await front_end.sign_in((self.email, self.password), "/auth/sign-in?return_to=/") == "/"
            yield front_end

    async def _goes_on_with(self, cookies: Iterable[Morsel[str]]) -> None:
        """Hand the browser its cookies."""
        # By its own protocol, for Playwright names a domain, which a cookie of one host alone must not have.
        browser = await self.page.context.new_cdp_session(self.page)
        for cookie in cookies:
            await browser.send("Network.setCookie", self._as_the_browser_holds_it(cookie))
        await browser.detach()

    def _as_the_browser_holds_it(self, cookie: Morsel[str]) -> dict[str, object]:
        ours, theirs = self.stack.gateway_url, self.stack.tenant_url
        return {
            "url": ours if cookie["domain"] == urlsplit(ours).hostname else theirs,
            "name": cookie.key,
            "value": cookie.value,
            "path": cookie["path"],
            "secure": bool(cookie["secure"]),
            "httpOnly": bool(cookie["httponly"]),
            **({"sameSite": cookie["samesite"]} if cookie["samesite"] else {}),
        }

    async def signs_out(self, *, leaving_changes: bool = False) -> None:
        """Sign out by the menu, and wait for the end of the way by the tenant to the first page."""
        await self.opens_menu()
        async with self.page.expect_navigation(url=f"{self.stack.gateway_url}/"):
            await self.presses("Sign out")
            if leaving_changes:
                await self.presses("Leave without saving")
        await self.sees("signed-out")

    async def signs_in_elsewhere(self) -> None:
        """Sign in with another browser, which then stays as it is."""
        async with OtherFrontEnd.open(self.stack.gateway_url, self.stack.tenant_url) as elsewhere:
            await elsewhere.sign_in((self.email, self.password))

    async def confirms(self) -> None:
        """Confirm with a code, and the password where it is asked for, from the profile on to the form."""
        await self.presses("Edit profile")
        await self.sees("confirm")
        await self.presses("Continue")
        if await self.is_asked_for("password", or_for="input[name=code]"):
            await self.types_password()  # where confirmations age, the tenant asks for everything anew
        await self.types_code()
        await self.sees("edit")

    async def is_asked_for(self, field: str, *, or_for: str) -> bool:
        """Wait until the tenant asks for something, or until something else is there; tell which it is."""
        await self.page.wait_for_selector(f"input[name={field}], {or_for}")
        return await self.page.locator(f"input[name={field}]").count() > 0

    async def outlives_the_confirmation(self) -> None:
        """Wait until the gateway says that editing takes a confirmation again."""
        # `wait_for_function` would not do: it takes the promise of an answer for the answer.
        async with asyncio.timeout(PATIENCE):
            while not await self.page.evaluate(_ACCESS_IS_STEP_UP):
                await self.page.wait_for_timeout(250)

    async def tries_again_until(self, screen: str) -> None:
        """Press "Try again" until one of the client's screens comes."""
        async with asyncio.timeout(PATIENCE):
            while not await self.page.locator(f"main[data-screen={screen}]").count():
                await self.page.evaluate(_PRESS_TRY_AGAIN)
                await self.page.wait_for_timeout(100)
            await self.sees(screen)

    async def opens_menu(self) -> None:
        """Open the menu under the person's name."""
        menu = self.page.get_by_role("navigation", name="Your account")
        await menu.get_by_role("button").first.click()
        await expect(menu.get_by_role("button", name="Sign out")).to_be_visible()

    async def follows_menu(self, path: str) -> None:
        """Follow one of the menu's links."""
        await self.opens_menu()
        await self.page.get_by_role("navigation").locator(f"a[href='{path}']").click()

    async def has_all_views(self) -> None:
        """Wait until the client has fetched what it may need, a moment after its first screen."""
        await self.page.wait_for_function(
            f"() => ({_VIEWS_FETCHED})().some((name) => name.endsWith('/problem.js'))"
        )
        await self.page.evaluate(_IMPORT_VIEWS)

    async def loses_the_connection(self) -> None:
        """Go offline when the client has fetched what it may need then."""
        await self.has_all_views()
        await self.page.context.set_offline(True)

    async def types_password(self) -> None:
        """Fill in the tenant's sign-in form."""
        await self.page.wait_for_url(f"{self.stack.tenant_url}/**")
        await self.page.fill("input[name=email]", self.email)
        await self.page.fill("input[name=password]", self.password)
        await self.page.click("button[type=submit]")

    async def types_code(self) -> None:
        """Fill in the newest code from the inbox."""
        await self.page.wait_for_selector("input[name=code]")
        (newest, *_) = await self.codes()
        await self.page.fill("input[name=code]", newest["code"])
        await self.page.click("button[type=submit]")

    async def codes(self) -> list[dict[str, Any]]:
        """The codes in the person's inbox, newest first."""
        response = await self.page.context.request.get(
            f"{self.stack.tenant_url}/inbox?to={self.email}", headers={"Accept": "application/json"}
        )
        codes: list[dict[str, Any]] = await response.json()
        return codes

    async def edits(self, **values: str) -> None:
        """Change fields of the form."""
        for name, value in values.items():
            field = self.page.locator(f"[name={name}]")
            await field.fill(value)
            await field.blur()

    async def session_cookies(self) -> list[str]:
        """The session cookies that the browser holds."""
        cookies = await self.page.context.cookies(self.stack.gateway_url)
        return [cookie["value"] for cookie in cookies if cookie["name"] == "__Host-Http-session"]

    async def held_by_graph(self, field: str) -> object:
        """What the tenant's Graph really holds."""
        response = await self.page.context.request.get(
            f"{self.stack.tenant_url}/admin/people/{self.email}/profile"
        )
        return (await response.json())[field]

    async def admin(self, method: str, path: str, body: object = None) -> None:
        """Turn one of the tenant's switches."""
        response = await self.page.context.request.fetch(
            f"{self.stack.tenant_url}/admin{path}",
            method=method,
            data=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert response.ok, await response.text()
