"""The tenant on a real socket, with a clock that tests move and keys that are made once."""

import itertools
import time
from collections.abc import AsyncIterator, Callable

import pytest

from local_tenant.signing import KeyRing, SigningKey, generate_key
from tests.stage.tenant import MovableClock, World, running_tenant


@pytest.fixture(scope="session")
def made_keys() -> Callable[[], SigningKey]:
    """Hand out keys from a small stock: making one takes a tenth of a second."""
    stock = itertools.cycle([generate_key() for _ in range(6)])
    return lambda: next(stock)


@pytest.fixture
async def world(made_keys: Callable[[], SigningKey]) -> AsyncIterator[World]:
    """Run the tenant on a free port."""
    async with running_tenant(MovableClock(time.time()), KeyRing(made_keys)) as world:
        yield world
