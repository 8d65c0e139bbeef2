"""The tenant on a real socket, with a clock that tests move and keys that are made once."""

import itertools
import socket
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from local_tenant.app import create_app
from local_tenant.configuration import BUNDLED, load
from local_tenant.signing import KeyRing, SigningKey, generate_key
from tests.stage.tenant import API_SECRET, GATEWAY_SECRET, MovableClock, World


@pytest.fixture(scope="session")
def made_keys() -> Callable[[], SigningKey]:
    """Hand out keys from a small stock: making one takes a tenth of a second."""
    stock = itertools.cycle([generate_key() for _ in range(6)])
    return lambda: next(stock)


@pytest.fixture
async def world(made_keys: Callable[[], SigningKey]) -> AsyncIterator[World]:
    """Run the tenant on a free port."""
    clock = MovableClock(time.time())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        values = {
            "GATEWAY_URL": "http://localhost:3000",
            "GATEWAY_SECRET": GATEWAY_SECRET,
            "GATEWAY_CERTIFICATE": "",
            "API_SECRET": API_SECRET,
            "API_CERTIFICATE": "",
        }
        app = create_app(load(BUNDLED, values), public_url=url, clock=clock, keys=KeyRing(made_keys))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        async with aiohttp.ClientSession() as session:
            world = World(url, clock, session)
            yield world
            await world.close()
        await runner.cleanup()
