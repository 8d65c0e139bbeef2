"""Connections that are given up half-made, left, or closed while nobody answers (R3, R9): nothing of them stays."""

import asyncio
import os
from pathlib import Path

import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from devstack.tls_redis import WHY_NONE, tls_server
from gateway.store.redis.budget import redis_budget
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from tests.real.redis.certificates import Authority
from tests.real.redis.servers import RedisServer, Servers


async def test_R9_a_connection_that_is_given_up_before_its_introduction_is_not_used(
    one: RedisServer, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    os.mkfifo(file)
    held = os.open(file, os.O_RDWR)  # whoever reads it waits until this is closed
    client = redis_client(f"redis://127.0.0.1:{one.port}", password_file=str(file))
    with redis_budget(0.2), pytest.raises(RedisTimeoutError):
        await client.set("stepup:x", "early", nx=True, ex=5)
    password = tmp_path / "as it is"
    password.write_text(one.password)
    # Before the other is closed: a thread that comes to read it late would wait for ever.
    password.replace(file)
    os.write(held, one.password.encode())
    os.close(held)

    assert await client.set("stepup:x", "late", nx=True, ex=5), "nobody would try this a second time"
    await client.aclose()


async def test_R3_idle_connections_are_left_without_waiting_for_their_end(one: RedisServer) -> None:
    client = redis_client(one.url)
    assert isinstance(client, GuardedRedis)
    await client.ping()
    (connection,) = client.connection_pool._available_connections

    leaving = client.leave()
    with pytest.raises(StopIteration):
        leaving.send(None)

    assert not connection.is_connected
    assert await client.ping()
    await client.aclose()


async def test_R19_a_server_that_fell_silent_does_not_fail_the_end_of_a_gateway(
    servers: Servers, tmp_path: Path
) -> None:
    binary = tls_server(os.environ)
    if binary is None:
        pytest.skip(WHY_NONE)
    server = servers.one(binary=binary, tls=Authority("ours").server(tmp_path))
    url = f"rediss://:{server.password}@127.0.0.1:{server.tls_port}"
    client = await asyncio.to_thread(redis_client, url, ca_bundle=str(tmp_path / "ca.pem"))
    assert await client.ping()

    with server.frozen():
        await client.aclose()  # TLS ends with an answer, which does not come
