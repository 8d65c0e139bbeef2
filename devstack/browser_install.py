"""Makes sure that the browser journeys can run: a Chromium, and Playwright's driver, which steers it.

Owns the order of looking for a Chromium: one named in CHROME_PATH, one on the path, one of Playwright's, then
installing: by Playwright, else by the system's package manager where this user may use it.
Never falls back to skipping the tests.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.console import Console
from devstack.errors import LaunchError
from devstack.system_packages import may_install

# Chromium without what only a person needs, as Playwright starts it too where it may choose: a fresh profile costs it
# a tenth of what it costs the whole browser.
_SHELL = "chromium-headless-shell"
NAMES = (_SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# What the driver's own Node.js needs and the smallest systems lack.
_DRIVER_LIBRARY = "libatomic1"
_TRY_SECONDS = 30
_DOWNLOAD_SECONDS = 300


def system_chromium(environment: Mapping[str, str]) -> str | None:
    """Return a Chromium of this computer that starts, or None. One named in CHROME_PATH is taken at its word."""
    if named := environment.get("CHROME_PATH"):
        return named
    on_path = (shutil.which(name, path=environment.get("PATH")) for name in NAMES)
    candidates = [*filter(None, on_path), *(path for path in _MAC_APPLICATIONS if Path(path).exists())]
    return next((path for path in candidates if _starts(path, environment)), None)


def find_chromium(environment: Mapping[str, str]) -> str | None:
    """Return a Chromium of this computer, or else Playwright's own, or None."""
    if chromium := system_chromium(environment):
        return chromium
    own = _of_playwright(environment)
    return own if own and _starts(own, environment) else None


def ensure_chromium(environment: Mapping[str, str], console: Console) -> str:
    """Return a Chromium's path, installing one when there is none. Raises LaunchError where none can be had."""
    _ensure_driver(environment, console)
    if chromium := find_chromium(environment):
        return _lighter(chromium, environment, console)
    console.say("There is no Chromium here; asking Playwright for its own.")
    failures = [_by_playwright(environment)]
    if (chromium := find_chromium(environment)) is None and may_install():
        console.say("Playwright could not bring one; installing the system's chromium package.")
        for package in (_SHELL, "chromium"):
            failures.append(_by_apt(environment, package))
            if chromium := find_chromium(environment):
                break
    if chromium is None:
        raise LaunchError(
            "The browser journeys need a Chromium, and none could be installed "
            f"({'; '.join(filter(None, failures)) or 'no reason given'}). "
            "Install chromium or Google Chrome, or name one in CHROME_PATH."
        )
    return chromium


def _lighter(chromium: str, environment: Mapping[str, str], console: Console) -> str:
    """Return the headless shell of Debian's Chromium, where this user may install it; else what is here."""
    if environment.get("CHROME_PATH") or Path(chromium).name != "chromium" or not may_install():
        return chromium
    console.say(f"Installing {_SHELL}, with which the browser journeys take half the time.")
    _by_apt(environment, _SHELL, update=False)
    return system_chromium(environment) or chromium


def _ensure_driver(environment: Mapping[str, str], console: Console) -> None:
    """Make sure that Playwright's driver starts. Raises LaunchError with what it lacks."""
    failure = _driver(environment)
    if failure and may_install():
        console.say(f"Playwright's driver does not start here; installing {_DRIVER_LIBRARY} for it.")
        _by_apt(environment, _DRIVER_LIBRARY)
        failure = _driver(environment)
    if failure:
        raise LaunchError(
            f"The browser journeys need Playwright's driver, and it does not start ({failure}). "
            f"On Debian and Ubuntu: apt install {_DRIVER_LIBRARY}. Then run this again."
        )


def _driver(environment: Mapping[str, str]) -> str:
    return _attempt(
        [sys.executable, "-m", "playwright", "--version"], environment, "playwright", _TRY_SECONDS
    )


def _of_playwright(environment: Mapping[str, str]) -> str | None:
    """Ask in a process of its own: the library leaves an event loop behind."""
    code = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], env=dict(environment), capture_output=True, text=True, check=False
    )
    path = answer.stdout.strip()
    return path if answer.returncode == 0 and Path(path).is_file() else None


def _starts(path: str, environment: Mapping[str, str]) -> bool:
    """Say whether the file is a working browser: Ubuntu's `chromium-browser` may be a stub that asks for a snap."""
    try:
        answer = subprocess.run(
            [path, "--version"], env=dict(environment), capture_output=True, timeout=_TRY_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and b"hrom" in answer.stdout


def _by_playwright(environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return _attempt(command, environment, "playwright install chromium", _DOWNLOAD_SECONDS)


def _by_apt(environment: Mapping[str, str], package: str, *, update: bool = True) -> str:
    quiet = dict(environment) | {"DEBIAN_FRONTEND": "noninteractive"}
    if update and (failure := _attempt(["apt-get", "update"], quiet, "apt-get update", _DOWNLOAD_SECONDS)):
        return failure
    install = ["apt-get", "install", "-y", "--no-install-recommends", package]
    return _attempt(install, quiet, f"apt-get install {package}", 2 * _DOWNLOAD_SECONDS)


def _attempt(command: list[str], environment: Mapping[str, str], name: str, seconds: int) -> str:
    """Run a command; what went wrong comes back, or nothing."""
    try:
        answer = subprocess.run(
            command, env=dict(environment), capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"{name}: {type(problem).__name__}"
    if answer.returncode == 0:
        return ""
    return f"{name}: {_telling(answer.stdout + answer.stderr) or f'exit code {answer.returncode}'}"


def _telling(output: str) -> str:
    """Choose the line that says most: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = next((line for line in lines if line.startswith(("Error:", "E:"))), lines[-1] if lines else "")
    return telling.removesuffix(", caused by")
