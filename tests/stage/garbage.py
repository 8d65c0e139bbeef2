"""The garbage collector's share of a run: what collecting the tests leaves is set aside, not walked again and again.

Several thousand tests and all that they import are a million objects, which live until the run ends; to walk them takes
half a second. Owns when the collector runs while tests are collected. What a test makes is collected as ever, so that
what nobody closes still says so.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without the collector, then look for garbage once and set aside the rest."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
