"""What the tests of a crowd (L1), and of connections that take places (L12, A3), share."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.crowd import Service, serving
from tests.unit.servicekit.http.site import Serve, sites


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


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Give what starts a server that takes `most` connections."""
    async with sites() as start:
        yield start
