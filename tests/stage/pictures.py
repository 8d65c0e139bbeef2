"""`python -m tests.stage.pictures`: run the product, and take the README's pictures of its story in Chromium.

Owns which moments are shown, how large the pictures are, and where they lie. Nothing in them is drawn by hand.
"""

import asyncio
import base64
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import Page, async_playwright

from devstack.browser_install import system_chromium
from devstack.stack import Stack, running_stack
from tests.real.journeys.person import Person
from tests.stage.sources import ROOT

FOLDER: Final = ROOT / "docs" / "pictures"
LARGEST: Final = 60_000
"""In bytes: three of them are a second of a slow line."""
NAMES: Final = ("parked.webp", "confirm.webp", "saved.webp")
_SIZE: Final = {"width": 760, "height": 690}
_QUALITY: Final = 82


async def _take(page: Page, name: str) -> None:
    """Keep what the page shows; WebP takes a third of what PNG does, and Playwright itself has no word for it."""
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    browser = await page.context.new_cdp_session(page)
    taken = await browser.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    await browser.detach()
    picture = base64.b64decode(taken["data"])
    if len(picture) > LARGEST:
        sys.exit(f"{name} has {len(picture):,} bytes, and {LARGEST:,} are enough.")
    FOLDER.mkdir(exist_ok=True)
    await asyncio.to_thread((FOLDER / name).write_bytes, picture)
    sys.stdout.write(f"docs/pictures/{name}: {len(picture):,} bytes\n")


async def _story(page: Page, stack: Stack, keep: Callable[[Page, str], Awaitable[None]]) -> None:
    """Go from a change that meets step-up to the one that is saved."""
    parked, confirm, saved = NAMES
    ada = Person(page, stack)
    await ada.has_signed_in("/edit", "edit")
    await ada.edits(displayName="Ada King", surname="King")
    await ada.presses("Save changes")
    await ada.sees("confirm")
    await keep(page, parked)
    await ada.presses("Continue")
    await page.wait_for_selector("input[name=code]")
    (newest, *_) = await ada.codes()
    await page.fill("input[name=code]", newest["code"])
    await keep(page, confirm)
    await page.click("button[type=submit]")
    await ada.sees("check")
    await ada.presses("Save changes")
    await ada.sees("profile")
    await keep(page, saved)


async def _pictures(stack: Stack) -> None:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=system_chromium(os.environ), args=arguments
        )
        page = await browser.new_page(
            viewport={"width": _SIZE["width"], "height": _SIZE["height"]},
            device_scale_factor=2,
            color_scheme="light",
            locale="en-GB",
            reduced_motion="reduce",
        )
        await _story(page, stack, _take)
        await browser.close()


def main() -> None:
    """Take all pictures anew."""
    with TemporaryDirectory() as folder, running_stack(Path(folder)) as stack:
        asyncio.run(_pictures(stack))


if __name__ == "__main__":
    main()
