"""A test that waits without end fails by itself and says where it waited, and the others run on.

Owns how long an asynchronous test may take. One that blocks its thread cannot be ended so: `faulthandler_timeout` ends
the whole run then, and what hung is told by the process that has ended.
"""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tests.stage.patience import PATIENCE

# In seconds; more than any single wait takes, and less than ends the run.
WHOLE: Final = 2 * PATIENCE


def bounded(test: Callable[..., Awaitable[None]], seconds: float = WHOLE) -> Callable[..., Awaitable[None]]:
    """Return the test with an end."""

    @functools.wraps(test)
    async def run(*arguments: Any, **named: Any) -> None:
        async with asyncio.timeout(seconds):
            await test(*arguments, **named)

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each asynchronous test its end."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = bounded(item.obj)
