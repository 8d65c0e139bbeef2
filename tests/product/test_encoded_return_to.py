"""Where a flow returns to when the path holds blanks and letters of other scripts, encoded or not."""

from urllib.parse import unquote

import pytest
from playwright.async_api import Page

from gateway.flows.flow_record import local_path
from tests.product.test_return_to import BASE, ORIGIN
from tests.stage.world import World

# As a query's value is decoded, and as it must be to travel in a header again.
SPELLED = {
    "/files/a b": "/files/a%20b",
    "/files/caf\u00e9": "/files/caf%C3%A9",
    "/files/cafe\u0301": "/files/cafe%CC%81",
    "/\u00e9dit": "/%C3%A9dit",
    "/\U0001f600": "/%F0%9F%98%80",
    "/edit?\U0001f600": "/edit?%F0%9F%98%80",
    "/edit?q=M\u00fcller & Co#\u00e4": "/edit?q=M%C3%BCller%20&%20Co#%C3%A4",
    "/\u65e5\u672c/\u0645\u0631": "/%E6%97%A5%E6%9C%AC/%D9%85%D8%B1",
    "/files/a \u2013 b.pdf": "/files/a%20%E2%80%93%20b.pdf",
    "/files/100%": "/files/100%25",
    "/files/100%-x": "/files/100%25-x",
    "/" + "\u00e9" * 85: "/" + "%C3%A9" * 85,
}


@pytest.mark.parametrize("text, spelled", SPELLED.items())
def test_X7_a_path_that_is_no_ascii_is_kept_in_the_spelling_that_travels(text: str, spelled: str) -> None:
    assert local_path(text) == spelled
    assert local_path(spelled) == spelled, "and stays as it is from there"


async def test_X7_a_real_browser_stays_on_our_origin_and_keeps_the_spelling(page: Page) -> None:
    read = "([base, texts]) => texts.map(text => new URL(text, base)).map(u => [u.origin, u.href])"

    addresses = await page.evaluate(read, [BASE, [*SPELLED.values()]])

    assert addresses == [[ORIGIN, ORIGIN + path] for path in SPELLED.values()]


@pytest.mark.parametrize(
    "asked", ["/files/a%20b", "/files/a+b", "/files/caf%C3%A9?q=%C3%A4#%C3%B6", "/files/a%2520b"]
)
async def test_X7_sign_in_returns_to_a_path_with_encoded_letters(world: World, asked: str) -> None:
    ada = await world.front_end()

    way = await ada.sign_in(path=f"/auth/sign-in?return_to={asked.replace('#', '%23')}")

    assert unquote(way) == unquote(asked.replace("%2520", "%20").replace("+", " "))
