"""What the tests of a crowd (L1), and of connections that take places (L12, A3), share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import pytest
import uvloop

from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.crowd import Service, serving
from tests.unit.servicekit.http.site import Serve, sites


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run what is here on the loop that the product runs on: it reads, accepts and closes otherwise than asyncio's."""
    return {"uvloop": uvloop.new_event_loop}


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
