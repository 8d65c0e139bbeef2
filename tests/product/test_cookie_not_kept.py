"""Browsers that keep no secure cookie at an address of plain http: told so, where a flow cannot end there."""

import pytest

from tests.product.test_callback import answered, problem_of
from tests.stage.raw_http import ask_raw
from tests.stage.world import World

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
SAFARI = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/17.4 Safari/605.1.15"
SAFARIS = [
    SAFARI,
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {WEBKIT} Version/17.4 Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Version/17.0 Safari/605.1.15",
]
CHROMIUM = "AppleWebKit/537.36 (KHTML, like Gecko)"
OTHERS = [
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {CHROMIUM} Chrome/125.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROMIUM} Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROMIUM} HeadlessChrome/125.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
    "curl/8.5.0",
    "",
]


async def sent_by(world: World, browser: str, cookies: list[tuple[str, str]]) -> str:
    """Send an answer to a flow that was begun a moment ago; return where it leads."""
    person = await world.front_end()
    answer = await answered(person, "/auth/sign-in?return_to=/edit")
    body = "&".join(f"{name}={value}" for name, value in answer.items()).encode()
    kind = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body)))]
    fields = [("User-Agent", browser), *kind, *cookies]
    return (await ask_raw(world.gateway_url, "POST", "/auth/callback", fields, body)).headers["location"]


@pytest.mark.parametrize("browser", SAFARIS)
async def test_X5_a_browser_that_keeps_no_cookie_here_is_told_so(world: World, browser: str) -> None:
    for cookies in ([], [("Cookie", "theme=dark")]):
        assert problem_of(await sent_by(world, browser, cookies)) == "cookie-not-kept"
    assert await world.asked("token.authorization_code") == 0


async def test_X5_whoever_keeps_cookies_here_is_told_what_else_may_be(world: World) -> None:
    for browser in OTHERS:
        assert problem_of(await sent_by(world, browser, [])) == "sign-in-expired", browser
