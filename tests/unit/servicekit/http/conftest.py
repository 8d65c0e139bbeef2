"""What the tests of a crowd share (L1)."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.crowd import Service, serving


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Give a service whose line waits for long."""
    async with serving(PATIENCE) as service:
        yield service


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client with as many connections as it wants."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        yield client
