"""WebKit, Safari's engine, steered by its WebDriver on a display that nobody sees.

Owns the processes, and what the tests do with a page. Certificates are not verified.
Source: W3C WebDriver.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import aiohttp
import pytest

from devstack.other_browsers import webkit_programs
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

ENTER: Final = "\ue007"
# WebKitWebDriver 2.50 waits for ever, now and then, for a browser that it starts on a busy computer.
_SECONDS: Final = 20
_ATTEMPTS: Final = 4
_PLACES: Final = ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
_NAMED: Final = """return [...document.querySelectorAll('a, button, summary')].find(
    (element) => element.checkVisibility() && element.textContent.trim() === arguments[0]);"""


class WebDriverError(Exception):
    """The WebDriver refused a command, in its words."""


@dataclass
class WebKit:
    """One browser with one page at a time."""

    client: aiohttp.ClientSession
    session: str
    """The URL of the WebDriver's session."""

    async def command(self, method: str, path: str, **body: Any) -> Any:
        """Give a command and return its value; raises WebDriverError."""
        return await _command(self.client, method, f"{self.session}{path}", body)

    async def opens(self, url: str) -> None:
        """Go to an address."""
        await self.command("POST", "/url", url=url)

    async def opens_tab(self) -> str:
        """Open a tab and go there; return the one of before."""
        before = str(await self.command("GET", "/window"))
        tab = await self.command("POST", "/window/new", type="tab")
        await self.goes_to(tab["handle"])
        return before

    async def goes_to(self, tab: str) -> None:
        """Steer another tab from now on."""
        await self.command("POST", "/window", handle=tab)

    async def evaluates(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the page, and return what it returns."""
        return await self.command("POST", "/execute/sync", script=script, args=arguments)

    async def waits_for(self, script: str, *arguments: Any) -> Any:
        """Wait until what a function returns is true, over loads of the page, and return that."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    if found := await self.evaluates(script, *arguments):
                        return found
                except WebDriverError:
                    pass  # the page was just going away
                await asyncio.sleep(0.05)

    async def sees(self, screen: str) -> None:
        """Wait for one of the client's screens, drawn to its end."""
        await self.waits_for(
            "return document.querySelector(`main[data-screen=${arguments[0]}]:not([aria-busy])`) !== null;",
            screen,
        )

    async def reads(self) -> str:
        """Return the text of the screen."""
        return str(await self.evaluates("return document.querySelector('main').innerText;"))

    async def presses(self, name: str) -> None:
        """Press the button, or follow the link, of this name."""
        element = await self.waits_for(_NAMED, name)
        await self.command("POST", f"/element/{element[_ELEMENT]}/click")

    async def types(self, selector: str, text: str) -> None:
        """Type into a field in the place of what is there."""
        script = "const field = document.querySelector(arguments[0]); field?.select(); return field;"
        field = await self.waits_for(script, selector)
        await self.command("POST", f"/element/{field[_ELEMENT]}/value", text=text)


async def _command(client: aiohttp.ClientSession, method: str, url: str, body: dict[str, Any]) -> Any:
    async with client.request(method, url, json=body if method == "POST" else None) as answer:
        value = (await answer.json())["value"]
    if answer.status != 200:
        raise WebDriverError(f"{value['error']}: {value['message']}")
    return value


@contextmanager
def running_webkit(folder: Path) -> Iterator[str]:
    """Run a browser whose memory is this folder while the block runs; yields the URL of its WebDriver's session.

    Skips where there is none, or none starts.
    """
    programs = webkit_programs(os.environ)
    if programs is None:
        pytest.skip(
            "WebKit's WebDriver (Debian: webkit2gtk-driver) and Xvfb are not installed on this computer"
        )
    driver, display = programs
    with _display(display) as number:
        # As root, and in a container, its sandbox does not start.
        own = {"DISPLAY": f":{number}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        places = dict.fromkeys(_PLACES, str(folder))
        for _ in range(_ATTEMPTS):
            port = free_port()
            with _process([driver, f"--port={port}"], {"PATH": os.defpath, **places, **own}):
                if session := _session(f"http://127.0.0.1:{port}/session"):
                    yield session
                    return
    pytest.skip("WebKit's WebDriver did not start in four attempts, as it may on a busy computer")


def _session(url: str) -> str | None:
    """Begin a session and return its URL; None where the browser does not come, or runs no script."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        try:
            begun = _value_of(url, capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
            session = f"{url}/{begun['sessionId']}"
            return (
                session
                if _value_of(f"{session}/execute/sync", script="return 6 * 7;", args=[]) == 42
                else None
            )
        except TimeoutError:
            return None
        except OSError:
            time.sleep(0.05)  # it does not listen yet
    return None


def _value_of(url: str, **body: Any) -> Any:
    request = Request(url, json.dumps(body).encode())  # noqa: S310 -- our own driver
    with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 -- as above
        return json.load(answer)["value"]


@contextmanager
def _display(program: str) -> Iterator[str]:
    """Run a display and yield its number, which it chooses itself."""
    ours, its = os.pipe()
    # Else it begins anew where its last client leaves, and says its number again, to nobody.
    options = ["-displayfd", str(its), "-noreset", "-screen", "0", "1280x900x24"]
    with _process([program, *options], dict(os.environ), descriptors=[its]):
        os.close(its)
        with os.fdopen(ours, encoding="ascii") as said:
            number = said.readline().strip()
            yield number


@contextmanager
def _process(
    command: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int] = ()
) -> Iterator[None]:
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        command, env=environment, stdout=nothing, stderr=nothing, pass_fds=descriptors
    ) as process:
        try:
            yield
        finally:
            process.terminate()
