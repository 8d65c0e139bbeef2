"""Finds, or installs, proxies of other people, for the tests of what stands before the gateway.

Owns which ones: nginx and HAProxy, which are installed where they are missing; others are taken where they are there.
The product itself starts none.
"""

import shutil
from collections.abc import Mapping
from typing import Final

from devstack.console import Console
from devstack.system_packages import install_packages, may_install

_NEEDED: Final = ("nginx", "haproxy")


def front_proxy(name: str, environment: Mapping[str, str]) -> str | None:
    """Return a proxy's program, or None; servers are kept where not everybody's path leads."""
    return shutil.which(name, path=f"{environment.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def ensure_front_proxies(environment: Mapping[str, str], console: Console) -> None:
    """Install those that are missing, where this user may; elsewhere the tests of them are skipped."""
    missing = [name for name in _NEEDED if front_proxy(name, environment) is None]
    if missing and may_install():
        console.say(f"Installing the system's packages of {' and '.join(missing)}, for the tests of proxies.")
        install_packages(missing, environment)
