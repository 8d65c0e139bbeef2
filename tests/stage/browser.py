"""A real Chromium for tests: `page` for one person, `new_context` for more.

Playwright's async API, on one event loop for all browser tests. Its sync API keeps a loop running in this thread,
under which no async test of pytest-asyncio could start; and Chromium's connection belongs to the loop that opened it,
so a loop per test would mean a Chromium per test. Tests that take these fixtures are put on the session's loop by
themselves (`pytest_collection_modifyitems`), and must be `async def`.

What a person would not see fails the test, too: an uncaught exception, an error in the console, a violation of the
content security policy. A test that means to cause one says so first: `page_faults.expect("…")`.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from devstack.browser_install import system_chromium
from devstack.stack import Stack
from tests.stage.patience import PATIENCE

ARTIFACTS = Path(__file__).resolve().parents[2] / ".local" / "test-artifacts"
# Asks for traces that show the page before and after each action.
SNAPSHOTS = "TEST_SNAPSHOTS"
# A name of somebody else's that leads to this computer, as after DNS rebinding.
REBOUND = "rebound.example"
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--in-process-gpu",  # nothing is drawn by a graphics card here, so a process for it does nothing but start
    "--no-first-run",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
)
# The network panel's words for an answer with an error status, which is often what a test is about.
_STATUS = re.compile(r"^Failed to load resource: ")

# A network of this computer came or went (a container's, a VPN's), and Chromium gave up what it was loading; the
# client loads itself once more.
_NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"

# Long enough for a busy computer: only a test that fails waits for it.
_PATIENCE_MS = PATIENCE * 1_000
expect.set_options(timeout=_PATIENCE_MS)

# Whether any phase of a test failed, for what is kept of its pages.
_FAILED = pytest.StashKey[bool]()

NewContext = Callable[..., Awaitable[BrowserContext]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests on the session's event loop, where Chromium's connection lives, and mark them."""
    for item in items:
        # All of the fixtures below need it; a test may have arguments of its own that are called like one of them.
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.browser)
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget the last run's pictures: once, and not again in each of its workers or in a run within a test."""
    if not hasattr(session.config, "workerinput") and "PYTEST_CURRENT_TEST" not in os.environ:
        shutil.rmtree(ARTIFACTS, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure for the fixtures, which are torn down after it."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@dataclass  # without slots: Playwright keeps a mark on the owner of a handler
class PageFaults:
    """What went wrong inside the pages of one test."""

    base_url: str | None = None
    seen: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Let faults that contain this pattern pass."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """List the faults that no pattern allows."""
        return [fault for fault in self.seen if not any(pattern.search(fault) for pattern in self._expected)]

    def watch(self, page: Page) -> None:
        """Collect the faults of a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"uncaught: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        if _NETWORK_CHANGED in message.text:
            return
        url = message.location.get("url", "")
        if _STATUS.match(message.text) and not self._is_our_asset(url):
            return
        self.seen.append(f"console: {message.text} ({url})")

    def _is_our_asset(self, url: str) -> bool:
        """Say whether an error status at this URL is a fault: the SPA's files have to be there."""
        address = urlsplit(url)
        ours = self.base_url is None or f"{address.scheme}://{address.netloc}" == self.base_url
        return ours and not address.path.startswith(("/api/", "/auth/"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Start Chromium once: the system's, or else Playwright's own."""
    arguments = [*ARGUMENTS]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root with its sandbox
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=system_chromium(os.environ), args=arguments
        )
        yield browser
        await browser.close()


@pytest.fixture
def page_faults(request: pytest.FixtureRequest) -> PageFaults:
    """Give this test's collection of faults, to say which are expected."""
    stack = request.getfixturevalue("stack") if "stack" in request.fixturenames else None
    return PageFaults(stack.gateway_url if isinstance(stack, Stack) else None)


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(
    request: pytest.FixtureRequest, chromium: Browser, page_faults: PageFaults
) -> AsyncIterator[NewContext]:
    """Give a maker of fresh contexts: each is another browser profile, so another person.

    Takes Playwright's own options. With `stack` in the test, relative URLs are the gateway's.
    """
    contexts: list[BrowserContext] = []

    async def make(*, viewport: ViewportSize | None = None, **options: Any) -> BrowserContext:
        size: ViewportSize = viewport or {"width": 1280, "height": 800}
        context = await chromium.new_context(base_url=page_faults.base_url, viewport=size, **options)
        # Without a film and without the page before and after each action, which cost a sixth of a journey's time
        # unless somebody asks for them; of a failure the last state is taken below.
        await context.tracing.start(snapshots=bool(os.environ.get(SNAPSHOTS)))
        context.on("page", page_faults.watch)
        context.set_default_timeout(_PATIENCE_MS)
        contexts.append(context)
        return context

    yield make
    faults = page_faults.unexpected()
    for number, context in enumerate(contexts):
        await _close(
            context,
            _artifacts(request.node, number) if faults or request.node.stash.get(_FAILED, False) else None,
        )
    if faults:
        pytest.fail("The pages had faults of their own:\n" + "\n".join(faults), pytrace=False)


@pytest_asyncio.fixture(loop_scope="session")
async def context(new_context: NewContext) -> BrowserContext:
    """Give one person's browser."""
    return await new_context()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    """Give one tab."""
    return await context.new_page()


async def _close(context: BrowserContext, directory: Path | None) -> None:
    if directory is None:
        await context.tracing.stop()
    else:
        for number, page in enumerate(context.pages):
            await page.screenshot(path=directory / f"page-{number}.png")
            (directory / f"page-{number}.html").write_text(await page.content(), "utf-8")
        await context.tracing.stop(path=directory / "trace.zip")
    await context.close()


def _artifacts(node: pytest.Item, number: int) -> Path:
    directory = ARTIFACTS / re.sub(r"[^\w.-]+", "_", node.nodeid) / f"context-{number}"
    directory.mkdir(parents=True, exist_ok=True)
    return directory
