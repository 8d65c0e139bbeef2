"""A page of somebody else whose name was led to this computer: same origin for the browser, and yet it gets nothing."""

from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page

from devstack.stack import Stack
from tests.stage.browser import REBOUND, NewContext, PageFaults

# What the page reads as if the port were its own server's.
READ: Final = """async ([path, method]) => {
  const answer = await fetch(path, {method, headers: {'X-CSRF': '1', 'Accept': 'application/json'}});
  return [answer.status, await answer.text()];
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def foreign(new_context: NewContext, page_faults: PageFaults) -> Page:
    """Give a page that may do what a foreign page allows itself: its policy is not ours."""
    page_faults.expect(REBOUND)
    return await (await new_context(bypass_csp=True)).new_page()


async def read(page: Page, url: str, path: str, method: str = "GET") -> tuple[int, str]:
    """Open whatever is there under the foreign name and the port of `url`, and let it ask for a path of its origin."""
    await page.goto(f"http://{REBOUND}:{urlsplit(url).port}/start")
    status, text = await page.evaluate(READ, [path, method])
    return int(status), str(text)


@pytest.mark.parametrize(
    "part, paths",
    [
        ("admin", ["/metrics", "/health/ready"]),
        ("tenant", ["/inbox", "/inbox?to=ada@example.com", "/"]),
        ("gateway", ["/api/session", "/api/sessions", "/api/profile", "/api/session/events"]),
    ],
)
async def test_A8_S48_a_page_whose_name_was_led_here_reads_nothing(
    stack: Stack, foreign: Page, part: str, paths: list[str]
) -> None:
    url = {"admin": stack.admin_url, "tenant": stack.tenant_url, "gateway": stack.gateway_url}[part]

    for path in paths:
        status, text = await read(foreign, url, path)
        assert status == 421, (path, text)
        for word in ("stepup_", "redis", "ada@example.com", "authenticated"):
            assert word not in text


async def test_A8_S57_nor_does_it_turn_a_switch_of_the_tenant(stack: Stack, foreign: Page) -> None:
    for path, method in (("/admin/requests", "GET"), ("/admin/reset", "POST")):
        assert (await read(foreign, stack.tenant_url, path, method))[0] == 403


async def test_A8_what_the_resource_api_does_needs_a_token_from_everybody(
    stack: Stack, foreign: Page
) -> None:
    """It allows nothing because of where somebody asks from, so that it takes any name."""
    assert (await read(foreign, stack.api_url, "/profile", "PATCH"))[0] == 401
    assert await read(foreign, stack.api_url, "/health/live") == (200, '{"status": "live"}')
