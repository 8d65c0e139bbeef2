"""`python3 dev.py pictures`: takes the README's pictures anew, of the product as it is.

Owns what is made ready for that. Never knows what is shown: `tests/stage/pictures.py` does.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.browser_install import ensure_chromium
from devstack.checks import run_step
from devstack.console import Console


def take_pictures(environment: Mapping[str, str], root: Path, console: Console) -> int:
    """Take the pictures and return the exit code; raises LaunchError without a browser."""
    settings = dict(environment) | {"CHROME_PATH": ensure_chromium(environment, console)}
    return run_step("pictures", (sys.executable, "-m", "tests.stage.pictures"), settings, root, console)
