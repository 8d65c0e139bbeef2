"""How a run with several workers (`pytest -n`) is dealt out: a file's tests stay together, and what takes long begins.

Owns the order. A file is dealt whole, because its tests share what was started for it: a cluster, a product with
settings of its own. Every worker has a Valkey, and where it is dealt browser tests a product and a Chromium as well.
"""

import os
from collections.abc import Iterable
from typing import Final

import pytest

# What comes first waits for the longest; the files of one line begin in the order of their names.
LONG_FIRST: Final = (
    "tests/real/journeys/",
    "tests/real/",
    "tests/unit/test_imports_alone.py",
    "tests/product/",
    "tests/unit/",
)


def ordered(files: Iterable[str]) -> list[str]:
    """Return paths in the order in which they are to begin."""
    return sorted(files, key=_place)


def _place(path: str) -> int:
    return next((place for place, start in enumerate(LONG_FIRST) if path.startswith(start)), len(LONG_FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests of a worker; a run without workers keeps pytest's order."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: _place(item.nodeid))
