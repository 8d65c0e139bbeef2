"""The tenant on a real socket, with a clock that tests move and keys that are made once."""

import time
from collections.abc import AsyncIterator, Callable

import pytest

from local_tenant.signing import KeyRing, SigningKey
from tests.stage.tenant import MovableClock, World, running_tenant


@pytest.fixture
async def world(signing_keys: Callable[[], SigningKey]) -> AsyncIterator[World]:
    """Run the tenant on a free port."""
    async with running_tenant(MovableClock(time.time()), KeyRing(signing_keys)) as world:
        yield world
