"""From GATEWAY_REDIS_URL to a client.

Owns which client a set-up needs, its time-outs, and its credentials: a password file is read for every connection, and
a changed file of authorities is noticed, so that both may rotate while the gateway runs.
Connects to nothing: that happens at the first command, so a gateway starts while Redis is away.
"""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

from redis.asyncio import ConnectionPool
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's own, which is not Python's

from gateway.counts import Counts
from gateway.store.redis_address import RedisAddress, SetUp
from gateway.store.redis_budget import LIMITS, RedisLimits
from gateway.store.redis_clients import CONNECTIONS, GuardedCluster, GuardedRedis, RedisGuard
from gateway.store.redis_tls import Trust
from servicekit.breaker import CircuitBreaker

_SENTINEL_SECONDS: Final = 0.25


def redis_client(
    url: str,
    *,
    password_file: str | None = None,
    ca_bundle: str | None = None,
    limits: RedisLimits = LIMITS,
    counts: Counts | None = None,
) -> GuardedRedis | GuardedCluster:
    """Return a client for `url`; `password_file` and `ca_bundle` are paths.

    Raises ValueError for an address that cannot be read, OSError for a `ca_bundle` that cannot.
    """
    address = RedisAddress.parse(url)
    options: dict[str, Any] = {
        "socket_connect_timeout": limits.command,
        "socket_timeout": limits.command,
        # RESP2 and no introduction: a new connection costs a round trip for AUTH, and rights for little else.
        "protocol": 2,
        "driver_info": None,
        **_credentials(address, password_file),
    }
    if address.set_up is SetUp.CLUSTER:
        cluster = GuardedCluster(
            startup_nodes=[ClusterNode(host, port) for host, port in address.nodes],
            max_connections=CONNECTIONS,
            retry=_no_retry(),
            ssl=address.tls,
            ssl_ca_certs=ca_bundle,
            **options,
        )
        cluster.guard = _guard(limits, counts)
        return cluster
    options |= {"retry": _no_retry(), "db": address.database, "max_connections": CONNECTIONS}
    trust = Trust(ca_bundle) if address.tls else None
    pool = (
        _sentinel_pool(address, options, trust, ca_bundle)
        if address.set_up is SetUp.SENTINEL
        else _pool(address, options, trust)
    )
    client = GuardedRedis(connection_pool=pool)
    client.auto_close_connection_pool = True
    client.guard = _guard(limits, counts)
    return client


def _pool(address: RedisAddress, options: dict[str, Any], trust: Trust | None) -> ConnectionPool:
    if address.socket:
        return ConnectionPool(connection_class=UnixDomainSocketConnection, path=address.socket, **options)
    ((host, port),) = address.nodes
    options |= {"host": host, "port": port}
    if trust:
        return ConnectionPool(connection_class=_TrustingConnection, trust=trust, **options)
    return ConnectionPool(connection_class=Connection, **options)


def _sentinel_pool(
    address: RedisAddress, options: dict[str, Any], trust: Trust | None, ca_bundle: str | None
) -> ConnectionPool:
    asking: dict[str, Any] = {
        # Shorter than a command's: one silent sentinel must leave time to ask the next.
        "socket_connect_timeout": _SENTINEL_SECONDS,
        "socket_timeout": _SENTINEL_SECONDS,
        "protocol": 2,
        "driver_info": None,
        "retry": _no_retry(),
        "username": address.sentinel_username or None,
        "password": address.sentinel_password or None,
    }
    if trust:
        asking |= {"ssl": True, "ssl_ca_certs": ca_bundle}
        options |= {"connection_class": _TrustingSentinelConnection, "trust": trust}
    sentinels = Sentinel(address.nodes, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]  # redis-py's
    pool: ConnectionPool = SentinelConnectionPool(address.master, sentinels, **options)  # type: ignore[no-untyped-call]  # the same
    return pool


class _TrustingConnection(SSLConnection):
    def __init__(self, *, trust: Trust, **kwargs: Any) -> None:  # noqa: ANN401 - redis-py's options
        super().__init__(**kwargs)
        self._trust = trust

    async def _connect(self) -> None:
        # In a thread: it may read a file.
        self.ssl_context.context = await asyncio.to_thread(self._trust.context)
        await super()._connect()  # type: ignore[no-untyped-call]  # redis-py's


class _TrustingSentinelConnection(SentinelManagedConnection, _TrustingConnection):
    pass


def _guard(limits: RedisLimits, counts: Counts | None) -> RedisGuard:
    told = counts or Counts()
    breaker = CircuitBreaker(
        now=time.monotonic, on_turn=lambda is_open: told.breaker_turned("redis", is_open=is_open)
    )
    return RedisGuard(breaker, limits=limits, counts=told)


def _no_retry() -> Retry:
    # The guard tries again, and knows what may be tried again; redis-py would repeat anything.
    return Retry(NoBackoff(), 0)


def _credentials(address: RedisAddress, password_file: str | None) -> dict[str, Any]:
    if password_file:
        return {"credential_provider": PasswordFile(address.username, Path(password_file))}
    return {"username": address.username or None, "password": address.password or None}


class PasswordFile(CredentialProvider):
    """Credentials that are read anew for every connection, so that a changed password needs no restart."""

    def __init__(self, username: str, path: Path) -> None:
        self._username = username
        self._path = path

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return user and password; raises ConnectionError when the file cannot be read."""
        try:
            password = self._path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ConnectionError("GATEWAY_REDIS_PASSWORD_FILE cannot be read") from error
        return (self._username, password) if self._username else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return the same without blocking the loop."""
        return await asyncio.to_thread(self.get_credentials)
