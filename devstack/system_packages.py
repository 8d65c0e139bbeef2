"""Installs packages of the system, where this user may and the system is a Debian or one of its kin.

Owns how: quietly, in bounded time, and without starting what is installed.
Never decides what is needed, and never fails: whoever asked looks whether it is there.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

_SECONDS: Final = 300


def may_install() -> bool:
    """Tell whether packages can be installed."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(packages: Sequence[str], environment: Mapping[str, str]) -> None:
    """Install them, if that works."""
    # In runlevel 1 packages start no server of theirs.
    quiet = dict(environment) | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        try:
            subprocess.run(
                ["apt-get", *command], env=quiet, capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return
