"""A store for tests of one module: a real Valkey, a clock that tests move, and a session of Ada's."""

from collections.abc import AsyncIterator

import pytest

from gateway.session.sessions import SessionStore
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.connection import redis_client
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from tests.stage.redis_wire import Command, RedisWire
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.stage.world import PATIENT
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, RING_KEY


@pytest.fixture
def clock() -> MovableClock:
    """Give the wall clock; Redis counts lifetimes by its own."""
    return MovableClock(NOW)


@pytest.fixture
async def way_to_redis(valkey: str) -> AsyncIterator[RequestProxy[Command]]:
    """Give what lies between the client and an empty Valkey, so that a test can watch it and interrupt it."""
    async with RequestProxy(RedisWire()).running() as way:
        way.lead_to(valkey)
        yield way


@pytest.fixture
async def redis(
    valkey: str, way_to_redis: RequestProxy[Command]
) -> AsyncIterator[GuardedRedis | GuardedCluster]:
    """Give the gateway's own client."""
    client = redis_client(way_to_redis.lead_to(valkey), limits=PATIENT)
    yield client
    await client.aclose()


@pytest.fixture
def vault(redis: GuardedRedis | GuardedCluster, clock: MovableClock) -> Vault:
    """Give a vault with one key."""
    return Vault(redis, KeyRing([RING_KEY]), now=clock)


@pytest.fixture
def sessions(vault: Vault, clock: MovableClock) -> SessionStore:
    """Give a store whose sessions end after ten minutes without use, and after a hundred in any case."""
    return SessionStore(vault, now=clock, idle=IDLE, absolute=ABSOLUTE)
