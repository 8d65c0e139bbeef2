"""A single-page application in a real Chromium, with the browser's own rules on who may read what (CORS)."""

import json
import time
from pathlib import Path
from string import Template
from typing import Final

from aiohttp import web
from playwright.async_api import Page

from tests.stage.npm_packages import TESTS
from tests.stage.ports import free_port
from tests.stage.tenant import GATEWAY, ISSUER, MovableClock, running_tenant
from tests.stage.world import served

SCRIPT: Final = Path(__file__).parent / "pages" / "single_page.mjs"
LIBRARY: Final = TESTS / "node_modules" / "oauth4webapi" / "build" / "index.js"
PAGE: Final = Template("""<!doctype html><title>A single page</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"oauth4webapi": "/oauth4webapi.js"}}</script>
<script type="application/json" id="given">$given</script>
<script type="module" src="/single_page.mjs"></script><p id="result"></p>""")


def application(given: dict[str, str]) -> web.Application:
    """Return the server of the page: it serves files, and knows of no token."""
    text = PAGE.substitute(given=json.dumps(given))

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    async def file(request: web.Request) -> web.Response:
        path = SCRIPT if request.path.endswith(".mjs") else LIBRARY
        return web.Response(text=path.read_text(encoding="utf-8"), content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/single_page.mjs", file)
    app.router.add_get("/oauth4webapi.js", file)
    return app


async def test_T8_a_page_signs_in_refreshes_and_reads_the_profile_by_itself(page: Page, node: str) -> None:
    assert node, "the library of the page is one of npm's packages"
    port = free_port()
    async with running_tenant(MovableClock(time.time())) as tenant:
        registration = {"spa_redirect_uris": [f"http://localhost:{port}/"]}
        assert (await tenant.ask("PUT", f"/admin/apps/{GATEWAY}", json=registration)).status == 200
        given = {"tenant": tenant.url, "issuer": ISSUER, "client_id": GATEWAY}
        async with served(application(given), port, "localhost"):
            await page.goto(f"http://localhost:{port}/")
            await page.locator("input[name=email]").fill("ada@example.com")
            await page.locator("input[name=password]").fill("Analytical-Engine-1843")
            await page.locator("button[type=submit]").click()
            await page.locator("#result:not(:empty)").wait_for()
            result = json.loads(await page.locator("#result").inner_text())

    assert "failed" not in result, result
    assert (result["claims"]["iss"], result["claims"]["aud"]) == (ISSUER, GATEWAY)
    assert result["claims"]["email"] == result["userinfo"]["email"] == "ada@example.com"
    assert result["me"]["displayName"] == "Ada Lovelace"
    assert result["scope"] == "openid profile email User.Read"
