"""What is wrong with a page for somebody who sees, hears or handles it differently: measured in the browser.

Owns the measures, which know no screen. Each comes back as a list of sentences, empty where nothing is wrong.
Automatic checks find about half of what there is to find (axe-core's makers say 57 %); the rest is in the journeys by
keyboard, and in looking.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

Scheme = Literal["light", "dark"]

_AXE_CORE: Final = Axe().axe_script
# WCAG 2.2 AA's 24 px is off by default in axe-core, as the newest of its rules.
_AXE_OPTIONS: Final[dict[str, object]] = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
}
# The rules that look at colours. A theme sets `color-scheme`, by which only colours can differ (css/tokens.css), so in
# the second theme the others would find the same again.
_AXE_ON_COLOURS: Final[dict[str, object]] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}

# What hangs out on the right, and by how much; what only assistive technology gets does not count.
_WIDE: Final = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const out = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > width + 1);
    return [`${document.documentElement.scrollWidth} px in ${width} px: `
        + out.slice(-3).map((one) => `<${one.tagName.toLowerCase()} class="${one.className}">`).join(' ')];
}"""

# Text that its own box cuts off; an ellipsis is a decision, and lists and the screen itself may scroll.
_CUT: Final = """() => [...document.querySelectorAll('body *')].filter((one) => {
    const style = getComputedStyle(one);
    return one.clientHeight > 1 && style.overflow.includes('hidden') && style.textOverflow !== 'ellipsis'
        && (one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1);
}).map((one) => `cut off: <${one.tagName.toLowerCase()} class="${one.className}">`)"""

# WCAG 2.2, 1.4.12: what a person's own style may ask for without anything getting lost.
_SPACED: Final = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; '
        + 'word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }');
    document.adoptedStyleSheets = [sheet];
}"""


# Where the keyboard is: a name for it, and what is wrong with how that is shown.
_FOCUS: Final = """async () => {
    await new Promise(requestAnimationFrame);
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const ringed = [one, ...(one.labels ?? [])].find((shown) => {
        const style = getComputedStyle(shown);
        return style.opacity !== '0' && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    });
    const name = `<${one.tagName.toLowerCase()} id="${one.id}"> ${one.textContent.trim().slice(0, 30)}`;
    if (!ringed) return [name, 'has the focus and does not show it'];
    const box = ringed.getBoundingClientRect();
    const above = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const seen = above && (ringed.contains(above) || above.contains(ringed));
    return [name, seen ? '' : `has the focus out of sight, at ${Math.round(box.top)} of ${innerHeight}`];
}"""
_MOST_STOPS: Final = 80


async def keyboard_finds(page: Page) -> list[str]:
    """What goes wrong on a walk through the page by Tab: a focus that can't be seen, or a place one can't leave."""
    await page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0) }")
    stops: list[tuple[str, str]] = []
    while len(stops) < _MOST_STOPS:
        await page.keyboard.press("Tab")
        if (stop := await page.evaluate(_FOCUS)) is None:
            break
        stops.append(stop)
    if not 0 < len(stops) < _MOST_STOPS:
        return [f"the walk by Tab made {len(stops)} stops and no round"]
    return [f"{name} {fault}" for name, fault in stops if fault]


async def axe_finds(page: Page, options: dict[str, object] = _AXE_OPTIONS) -> list[str]:
    """Violations of axe-core's rules: WCAG 2.2 A and AA, and its best practices."""
    # Half a megabyte of script: once for each document is enough.
    if not await page.evaluate("() => 'axe' in globalThis"):
        await page.evaluate(_AXE_CORE)
    violations: list[dict[str, Any]] = await page.evaluate(
        "async (options) => (await axe.run(options)).violations", options
    )
    return [
        f"{one['id']}: {one['help']} ({', '.join(str(node['target']) for node in one['nodes'][:4])})"
        for one in violations
    ]


async def runs_over(page: Page) -> list[str]:
    """Sideways scrolling, and text that is cut off."""
    wide: list[str] = await page.evaluate(_WIDE)
    cut: list[str] = await page.evaluate(_CUT)
    return wide + cut


@asynccontextmanager
async def width(page: Page, pixels: int) -> AsyncIterator[None]:
    """Look through a window of another width for a while."""
    before = page.viewport_size
    assert before is not None
    await page.set_viewport_size({"width": pixels, "height": before["height"]})
    yield
    await page.set_viewport_size(before)


@asynccontextmanager
async def large_text(page: Page) -> AsyncIterator[None]:
    """Look with the browser's font size doubled (WCAG 2.2, 1.4.4)."""
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    yield
    await page.evaluate("document.documentElement.style.fontSize = ''")


@asynccontextmanager
async def right_to_left(page: Page) -> AsyncIterator[None]:
    """Look as a language would have it that runs the other way."""
    await page.evaluate("document.documentElement.dir = 'rtl'")
    yield
    await page.evaluate("document.documentElement.removeAttribute('dir')")


@asynccontextmanager
async def spaced_text(page: Page) -> AsyncIterator[None]:
    """Look with a person's own spacing of text."""
    await page.evaluate(_SPACED)
    yield
    await page.evaluate("() => { document.adoptedStyleSheets = [] }")


@asynccontextmanager
async def _untraced(page: Page) -> AsyncIterator[None]:
    """Measure without a trace, which would keep the whole page once more for each measure."""
    await page.context.tracing.stop_chunk()
    yield
    await page.context.tracing.start_chunk()


async def faults_of_words(page: Page) -> list[str]:
    """What other words can do to a page whose frame is judged: too long, or not said to assistive technology."""
    async with _untraced(page):
        async with width(page, 320):
            faults = [f"320 px: {fault}" for fault in [*await axe_finds(page), *await runs_over(page)]]
        return faults + await _faults_of_large_text(page)


async def every_fault(page: Page) -> list[str]:
    """Everything that is wrong with the page as it stands: in both themes, narrow, with large and with spaced text."""
    async with _untraced(page):
        return await _every_fault(page)


async def _every_fault(page: Page) -> list[str]:
    faults = []
    looks: dict[Scheme, dict[str, object]] = {"light": _AXE_OPTIONS, "dark": _AXE_ON_COLOURS}
    for scheme, options in looks.items():
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        faults += [f"{scheme}: {fault}" for fault in await axe_finds(page, options)]
    async with right_to_left(page), width(page, 320):
        faults += [f"320 px, right to left: {fault}" for fault in await runs_over(page)]
    async with width(page, 320):
        faults += [f"320 px: {fault}" for fault in [*await axe_finds(page), *await runs_over(page)]]
        async with spaced_text(page):
            faults += [f"320 px, spaced: {fault}" for fault in await runs_over(page)]
    return faults + await _faults_of_large_text(page) + await keyboard_finds(page)


async def _faults_of_large_text(page: Page) -> list[str]:
    faults = []
    # A telephone's width, too, where the letters alone are large and the window is not.
    for pixels in (640, 390):
        async with width(page, pixels), large_text(page):
            faults += [f"{pixels} px, text doubled: {fault}" for fault in await runs_over(page)]
    return faults
