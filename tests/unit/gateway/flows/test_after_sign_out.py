"""Where a browser goes after the authority's sign-out page: once, to where it may, and only as a page (S9)."""

from collections.abc import AsyncIterator
from http.cookies import Morsel
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import hdrs, web

from gateway.edge.guard import RequestKind, Route
from gateway.edge.origins import ORIGINS, OurOrigins
from gateway.flows.after_sign_out import COOKIE, SECONDS, leading_on, remember_address
from tests.stage.ports import free_port
from tests.stage.world import served

APP = "https://app.example"
NOTES = f"{APP}/notes?x=1"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Give the address of a first page that leads on, and remembers an address when it is asked to."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="the first page")

    async def remember(_request: web.Request) -> web.Response:
        response = web.Response()
        remember_address(response, NOTES)
        return response

    app, port = web.Application(), free_port()
    app[ORIGINS] = OurOrigins("https://bff.example", [APP])
    row = leading_on(Route(hdrs.METH_GET, "/", page, RequestKind.PUBLIC))
    app.router.add_route(row.method, row.path, row.handler)
    app.router.add_head("/head", row.handler)
    app.router.add_get("/remember", remember)
    async with served(app, port):
        yield f"http://127.0.0.1:{port}"


async def asked(
    url: str, *cookies: str, method: str = "GET", **headers: str
) -> tuple[int, str, dict[str, Morsel[str]]]:
    """Ask with cookies; return the status, where it leads, and the cookies that come back."""
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    sent += [("Cookie", "; ".join(f"{COOKIE}={value}" for value in cookies))] if cookies else []
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.request(method, url, headers=sent, allow_redirects=False) as response,
    ):
        if response.status == 303:
            assert response.headers[hdrs.CACHE_CONTROL] == "no-store"
        return response.status, response.headers.get(hdrs.LOCATION, ""), dict(response.cookies)


async def test_an_address_is_remembered_for_ten_minutes_in_a_cookie_that_no_script_reads(url: str) -> None:
    _, _, cookies = await asked(f"{url}/remember")

    cookie = cookies["__Host-Http-signed-out"]
    assert (COOKIE, SECONDS) == ("__Host-Http-signed-out", 600)
    assert (cookie.value, cookie["max-age"], cookie["path"]) == (quote(NOTES, safe=""), "600", "/")
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")


async def test_whoever_comes_back_is_led_on_once(url: str) -> None:
    status, address, cookies = await asked(url, quote(NOTES, safe=""), Sec_Fetch_Dest="document")

    assert (status, address) == (303, NOTES)
    gone = cookies[COOKIE]
    assert (gone.value, gone["max-age"], gone["path"]) == ("", "0", "/")
    assert (gone["secure"], gone["httponly"], gone["samesite"]) == (True, True, "Lax")
    assert (await asked(url, quote(NOTES, safe="")))[0] == 303, "a browser without Fetch Metadata as well"


@pytest.mark.parametrize(
    "cookies",
    [
        (),
        (quote("/", safe=""),),
        (quote("https://evil.example/", safe=""),),
        (quote(NOTES, safe=""),) * 2,
        ("",),
    ],
)
async def test_S9_nothing_else_leads_away_from_the_first_page(url: str, cookies: tuple[str, ...]) -> None:
    assert await asked(url, *cookies) == (200, "", {})


@pytest.mark.parametrize(
    "method, path, headers",
    [
        ("HEAD", "/head", {}),
        ("GET", "/", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", "/", {"Sec_Fetch_Dest": "image"}),
    ],
)
async def test_what_shows_no_page_leads_nowhere(
    url: str, method: str, path: str, headers: dict[str, str]
) -> None:
    assert await asked(url + path, quote(NOTES, safe=""), method=method, **headers) == (200, "", {})
