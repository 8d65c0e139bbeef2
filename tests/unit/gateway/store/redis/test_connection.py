"""Clients from addresses, and the files that may change under them (R3, R22); nothing here needs a server."""

import os
from pathlib import Path

import pytest
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.store.redis.budget import LIMITS
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.connection import PasswordFile, redis_client
from gateway.store.redis.tls import Trust
from tests.real.redis.certificates import Authority


async def test_R1_a_client_connects_to_nothing_by_itself() -> None:
    for url in ("redis://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/m", "redis+cluster://127.0.0.1:1"):
        client = redis_client(url)
        with pytest.raises(RedisConnectionError):
            await client.ping()
        await client.aclose()


async def test_R3_every_client_waits_no_longer_than_the_limit() -> None:
    one, many = redis_client("redis://x"), redis_client("redis+cluster://x:1,y:2")
    assert isinstance(one, GuardedRedis)
    assert isinstance(many, GuardedCluster)

    for options in (one.connection_pool.connection_kwargs, many.connection_kwargs):
        assert options["socket_timeout"] == options["socket_connect_timeout"] == LIMITS.command
    assert one.connection_pool.connection_kwargs["retry"].get_retries() == 0, (
        "the guard tries again, not redis-py"
    )
    assert many.retry.get_retries() == 0


async def test_R3_a_silent_sentinel_leaves_time_for_the_next() -> None:
    client = redis_client("redis+sentinel://u:p@one:1,two:2/people/3?sentinel_password=s")
    assert isinstance(client, GuardedRedis)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)

    assert (pool.service_name, pool.connection_kwargs["db"], pool.connection_kwargs["username"]) == (
        "people",
        3,
        "u",
    )
    for sentinel in pool.sentinel_manager.sentinels:
        options = sentinel.connection_pool.connection_kwargs
        assert options["socket_timeout"] * 2 <= LIMITS.command
        assert options["password"] == "s"
        assert options["username"] != "u", "the sentinels have users of their own"


def test_R22_a_password_is_read_for_every_connection(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    named, nameless = PasswordFile("stepup", file), PasswordFile("", file)
    assert (named.get_credentials(), nameless.get_credentials()) == (("stepup", "first"), ("first",))

    file.write_text("second")
    assert named.get_credentials() == ("stepup", "second")
    file.unlink()
    with pytest.raises(RedisConnectionError, match="GATEWAY_REDIS_PASSWORD_FILE cannot be read"):
        named.get_credentials()


def test_R22_a_changed_file_of_authorities_is_noticed_and_a_broken_one_is_not_believed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(Authority("first").pem)
    trust = Trust(str(file))
    first = trust.context()
    assert trust.context() is first, "the file is not read for every connection"

    file.write_text("half-writ")
    assert trust.context() is first
    file.unlink()
    assert trust.context() is first
    file.write_bytes(Authority("second").pem)
    os.utime(file, (1, 1))
    second = trust.context()

    assert second is not first
    assert "second" in str(second.get_ca_certs())
    assert "first" not in str(second.get_ca_certs())


def test_S34_certificate_and_name_are_always_checked() -> None:
    context = Trust(None).context()

    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
