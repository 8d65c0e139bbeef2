"""Finds, or installs, WebKit (Safari's engine) with its WebDriver and a display, for the tests in another browser.

Owns which programs and packages those are. The product itself starts none.
"""

import shutil
from collections.abc import Mapping
from typing import Final

from devstack.console import Console
from devstack.system_packages import install_packages, may_install

# By the program that each brings.
_PACKAGES: Final = {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}


def webkit_programs(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the paths of the WebDriver and of the display, or None where one is missing."""
    driver, display = (shutil.which(name, path=environment.get("PATH")) for name in _PACKAGES)
    return (driver, display) if driver and display else None


def ensure_webkit(environment: Mapping[str, str], console: Console) -> None:
    """Install what is missing, where this user may; elsewhere the tests of it are skipped."""
    if webkit_programs(environment) is None and may_install():
        console.say("Installing the system's packages of WebKit, for the tests in another browser.")
        install_packages([*_PACKAGES.values()], environment)
