"""The tutorial, done as it is written: its commands are run, its addresses opened, its bold words pressed, in order."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person
from tests.stage.curl import path_with_curl
from tests.stage.sources import ROOT

TUTORIAL: Final = (ROOT / "docs/tutorials/first-steps.md").read_text(encoding="utf-8")
# What a reader does or sees, in the order of the page.
STEP: Final = re.compile(
    r"^```sh\n(?P<runs>.*?)^```\n(?:\n```json\n(?P<shown>.*?)^```\n)?"
    r"|Open <(?P<opens>[^>]+)>"
    r"|<(?P<visits>http[^>]+)>"
    r"|`(?P<types>[^`]+)` as \*\*(?P<field>[^*]+)\*\*"
    r"|the code as \*\*(?P<code_field>[^*]+)\*\*"
    r"|\*\*(?P<presses>[^*]+)\*\*"
    r'|"(?P<sees>[^"]+)"',
    re.DOTALL | re.MULTILINE,
)


class Reader:
    """Does what the page says; each method is named as the group of STEP that it is for."""

    def __init__(self, person: Person, path: str) -> None:
        self.path = path
        self.page = person.page
        self.person = person

    def here(self, text: str) -> str:
        """Return a text with the addresses of this run."""
        ours = text.replace("http://localhost:3000", self.person.stack.gateway_url)
        return ours.replace("http://127.0.0.1:8400", self.person.stack.tenant_url)

    async def runs(self, step: re.Match[str]) -> None:
        """Run a command; what the page shows of its answer is there."""
        if step["runs"] == "python3 dev.py\n":
            assert (ROOT / "dev.py").exists()
            return
        ran = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euc", self.here(step["runs"])],
            env={**os.environ, "PATH": self.path},
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(ran.stdout)
        assert answer
        if step["shown"]:
            shown: dict[str, Any] = json.loads(step["shown"])
            assert {name: answer[name] for name in shown} == shown

    async def opens(self, step: re.Match[str]) -> None:
        """Open an address."""
        await self.page.goto(self.here(step["opens"]))

    async def visits(self, step: re.Match[str]) -> None:
        """Look at an address in another tab."""
        tab = await self.page.context.new_page()
        answer = await tab.goto(self.here(step["visits"]))
        assert answer
        assert answer.ok
        await tab.close()

    async def types(self, step: re.Match[str]) -> None:
        """Fill in a field."""
        await self.page.get_by_label(step["field"], exact=True).fill(step["types"])

    async def code_field(self, step: re.Match[str]) -> None:
        """Fill in the newest code of the inbox."""
        field = self.page.get_by_label(step["code_field"], exact=True)
        await expect(field).to_be_visible()
        (newest, *_) = await self.person.codes()
        await field.fill(newest["code"])

    async def presses(self, step: re.Match[str]) -> None:
        """Press a button or a link."""
        await self.person.presses(step["presses"])

    async def sees(self, step: re.Match[str]) -> None:
        """Find a text on the page."""
        await expect(self.page.locator("body")).to_contain_text(step["sees"])


async def test_the_first_steps_go_as_they_are_written(page: Page, stack: Stack, tmp_path: Path) -> None:
    person = Person(page, stack)
    reader = Reader(person, path_with_curl(tmp_path, os.environ["PATH"]))
    steps = list(STEP.finditer(TUTORIAL))
    for step in steps:
        # `shown` belongs to `runs`, and `field` to `types`.
        (kind,) = {name for name, text in step.groupdict().items() if text} - {"shown", "field"}
        do: Callable[[re.Match[str]], Awaitable[None]] = getattr(reader, kind)
        await do(step)

    assert len(steps) > 30
    assert await person.held_by_graph("jobTitle") == "Countess"
    await person.sees("signed-out")
    assert await person.session_cookies() == []


def test_the_first_steps_say_what_the_launcher_says() -> None:
    launcher = (ROOT / "devstack/run_command.py").read_text(encoding="utf-8")

    assert 'console.say("Stepup is ready.")' in launcher
    assert "`Stepup is ready.`" in TUTORIAL
