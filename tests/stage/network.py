"""What lies between a gateway and all that it asks, so that a test can make things fail from outside.

Owns three proxies: to Redis, to the authority (which is Graph as well), to the resource API. A test describes what
travels, and says what becomes of it. Never touches the gateway.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from gateway.store.scripts import CREATE, WRITE
from tests.stage.http_wire import HttpRequest, HttpWire
from tests.stage.redis_wire import Command, RedisWire, runs
from tests.stage.request_proxy import RequestProxy

WRITES: Final = runs(CREATE, WRITE)
"""A write to a session's records."""


class Network:
    """The three ways."""

    def __init__(self) -> None:
        self.redis: RequestProxy[Command] = RequestProxy(RedisWire())
        self.authority: RequestProxy[HttpRequest] = RequestProxy(HttpWire())
        self.api: RequestProxy[HttpRequest] = RequestProxy(HttpWire())

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Network"]:
        """Give a network while the block runs; it leads nowhere yet."""
        network = cls()
        async with network.redis.running(), network.authority.running(), network.api.running():
            yield network

    def lead_to(self, *, redis: str, authority: str, api: str) -> dict[str, str]:
        """Lead to these servers; return the settings of a gateway that goes this way."""
        return {
            "REDIS_URL": self.redis.lead_to(redis),
            "AUTHORITY_MAP": self.authority.lead_to(authority),
            "RESOURCE_API_URL": self.api.lead_to(api),
        }


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """Give a network for one gateway: `await make_world(network=network)`, or another `new_gateway`."""
    async with Network.open() as made:
        yield made
