"""The API in front of the local tenant, for each test anew; keys are made once."""

import itertools
from collections.abc import AsyncIterator, Callable

import pytest

from local_tenant.signing import SigningKey, generate_key
from tests.resource_api.stage import Stage, running_api


@pytest.fixture(scope="session")
def made_keys() -> Callable[[], SigningKey]:
    """Hand out keys from a small stock: making one takes a tenth of a second."""
    stock = itertools.cycle([generate_key() for _ in range(4)])
    return lambda: next(stock)


@pytest.fixture
async def stage(made_keys: Callable[[], SigningKey]) -> AsyncIterator[Stage]:
    """Run the API as it is configured in local work, with little patience."""
    async with running_api(made_keys) as stage:
        yield stage
