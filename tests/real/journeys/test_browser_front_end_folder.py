"""Another front end's folder in Chromium: what its policy lets its pages do, and where its people end up."""

import base64
import hashlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from aiohttp import web
from playwright.async_api import Page, expect

from local_tenant.signing import SigningKey
from tests.stage.browser import NewContext, PageFaults
from tests.stage.other_front_end import ADA
from tests.stage.ports import free_port
from tests.stage.world import served, worlds

BOOT: Final = "document.documentElement.dataset.booted = 'yes';"
HASH: Final = base64.b64encode(hashlib.sha256(BOOT.encode()).digest()).decode()
# The smallest module that WebAssembly knows, and the smallest picture.
WASM: Final = b"\0asm\1\0\0\0"
PICTURE: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
PAGE: Final = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Notes</title>
<link rel="icon" href="data:,"><link rel="manifest" href="/app.webmanifest"><link rel="stylesheet" href="/app.css">
<script>{BOOT}</script><script>document.documentElement.dataset.injected = 'yes';</script>
<script type="module" src="/assets/app.mjs"></script></head><body><h1></h1></body></html>
"""
SCRIPT: Final = """
import {greeting} from './greeting.mjs';
const heading = document.querySelector('h1');
heading.textContent = `${greeting} ${location.pathname}`;
const wasm = await WebAssembly.instantiateStreaming(fetch('/assets/empty.wasm'));
document.documentElement.dataset.wasm = String(wasm.instance instanceof WebAssembly.Instance);
try {
    heading.innerHTML = '<b>markup</b>';
} catch {
    document.documentElement.dataset.markup = 'refused';
}
"""
_SIGN_OUT: Final = """async () => {
    const answer = await fetch('/auth/sign-out?return_to=/bye', {method: 'POST', headers: {'X-CSRF': '1'}});
    return answer.json();
}"""
_SHOWN: Final = """(url) => new Promise((resolve) => {
    const picture = Object.assign(new Image(), {onload: () => resolve('shown'), onerror: () => resolve('not shown')});
    picture.src = url;
})"""


def front_end(root: Path) -> Path:
    """Write what a build puts out."""
    (root / "assets").mkdir()
    for name, text in {
        "index.html": PAGE,
        "app.css": "h1 { color: rgb(1, 2, 3) }",
        "app.webmanifest": '{"name": "Notes", "start_url": "/"}',
        "assets/app.mjs": SCRIPT,
        "assets/greeting.mjs": "export const greeting = 'Notes at';",
    }.items():
        (root / name).write_text(text, "utf-8")
    (root / "assets" / "empty.wasm").write_bytes(WASM)
    return root


async def elsewhere() -> web.Application:
    """Return somebody who shows pictures, and says nothing about who may show them."""

    async def picture(_request: web.Request) -> web.Response:
        return web.Response(body=PICTURE, content_type="image/gif")

    app = web.Application()
    app.router.add_get("/picture.gif", picture)
    return app


async def reads(page: Page, text: str) -> None:
    """Wait for the heading that the front end's script writes."""
    await expect(page.locator("h1")).to_have_text(text)


async def test_S53_another_front_end_runs_with_what_was_added_for_it_and_nothing_else(
    valkey: str,
    signing_keys: Callable[[], SigningKey],
    new_context: NewContext,
    page_faults: PageFaults,
    tmp_path: Path,
) -> None:
    page_faults.expect(r"[Cc]ontent [Ss]ecurity [Pp]olicy|TrustedHTML|Status of 404")
    port = free_port()
    pictures = f"http://localhost:{port}"
    async with AsyncExitStack() as lives:
        make_world = await lives.enter_async_context(worlds(valkey, signing_keys))
        await lives.enter_async_context(served(await elsewhere(), port, "localhost"))
        world = await make_world(
            FRONT_END=str(front_end(tmp_path)),
            CSP_ADDITIONS=f"script-src 'sha256-{HASH}' 'wasm-unsafe-eval'; img-src data: {pictures}",
        )
        page = await (await new_context()).new_page()

        await page.goto(f"{world.gateway_url}/notes/7")
        await reads(page, "Notes at /notes/7")
        await expect(page.locator("html")).to_have_attribute("data-markup", "refused")
        marks = await page.evaluate("() => ({...document.documentElement.dataset})")
        assert marks == {"booted": "yes", "wasm": "true", "markup": "refused"}
        await expect(page.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
        assert await page.evaluate(_SHOWN, f"{pictures}/picture.gif") == "shown"
        assert await page.evaluate(_SHOWN, f"http://127.0.0.1:{port}/picture.gif") == "not shown"

        await page.goto(f"{world.gateway_url}/auth/sign-in?return_to=/notes/8")
        await page.fill("input[name=email]", ADA[0])
        await page.fill("input[name=password]", ADA[1])
        await page.click("form button")
        await reads(page, "Notes at /notes/8")

        await page.goto(f"{world.gateway_url}/auth/step-up?return_to=/notes/8")
        await page.get_by_role("link", name="Cancel").click()
        await reads(page, "Notes at /problem")
        assert "type=step-up-cancelled" in page.url
        assert "return_to=%2Fnotes%2F8" in page.url
        out = await page.evaluate(_SIGN_OUT)
        await page.goto(out["redirect"])
        await reads(page, "Notes at /bye")
