"""How a run with several workers (`pytest -n`) is dealt out: a file's tests stay together, and what takes long begins.

Owns the order. A file is dealt whole, because its tests share what was started for it: a cluster, a product with
settings of its own. Every worker has a Valkey, and where it is dealt browser tests a product and a Chromium as well.
"""

import itertools
import os
from collections.abc import Iterable
from typing import Final

import pytest

BROWSER: Final = "tests/real/journeys/"
# What comes first takes longest; the files of one line begin in the order of their names.
LONG_FIRST: Final = (
    "tests/real/journeys/test_every_screen.py",
    "tests/real/devstack/test_installation.py",
    "tests/real/",
    "tests/unit/test_imports_alone.py",
    "tests/product/",
    "tests/unit/",
)


def ordered(files: Iterable[str]) -> list[str]:
    """Return paths in the order in which they are to begin.

    Browser tests alternate with others: a Chromium for each worker at the same time is more than two cores can do.
    """
    by_length = sorted(files, key=_place)
    browsers = [file for file in by_length if file.startswith(BROWSER)]
    pairs = itertools.zip_longest(browsers, (file for file in by_length if not file.startswith(BROWSER)))
    return [file for pair in pairs for file in pair if file is not None]


def _place(path: str) -> int:
    return next((place for place, start in enumerate(LONG_FIRST) if path.startswith(start)), len(LONG_FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files of a worker; a run without workers keeps pytest's order."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        files = ordered(dict.fromkeys(_file(item) for item in items))
        places = {file: place for place, file in enumerate(files)}
        items.sort(key=lambda item: places[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
