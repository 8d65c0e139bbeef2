"""Where a flow returns to when the path holds blanks and letters of other scripts, encoded or not."""

from urllib.parse import unquote

import pytest
from playwright.async_api import Page

from gateway.flows.flow_record import local_path
from tests.product.test_return_to import ADDRESSES, BASE, ORIGIN
from tests.stage.world import World

# As a query's value is decoded, and as it must be to travel in a header again.
SPELLED = {**ADDRESSES["spelled"], "/" + "\u00e9" * 85: "/" + "%C3%A9" * 85}


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
