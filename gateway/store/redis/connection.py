"""From GATEWAY_REDIS_URL to a client.

Owns which client a set-up needs, its time-outs, and its credentials: a password file is read for every connection, and
a changed file of authorities is noticed, so that both may rotate while the gateway runs.
Connects to nothing: that happens at the first command, so a gateway starts while Redis is away.
"""

import asyncio
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's own, which is not Python's

from gateway.counts import Counts
from gateway.store.redis.address import RedisAddress, SetUp
from gateway.store.redis.budget import LIMITS, RedisLimits
from gateway.store.redis.client import CONNECTIONS, GuardedRedis, RedisGuard
from gateway.store.redis.cluster import GuardedCluster, KeyComesFirst
from gateway.store.redis.cluster_reads import ClusterReads
from gateway.store.redis.pools import (
    MasterConnection,
    MasterPool,
    MasterTlsConnection,
    PlainConnection,
    Pool,
    SocketConnection,
    TlsConnection,
)
from gateway.store.redis.reads import Reads
from gateway.store.redis.script_calls import ScriptForm
from gateway.store.redis.shared_commands import SharedCommands
from gateway.store.redis.shared_connection import SharedConnection, Ways
from gateway.store.redis.tls import Trust
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
    trust = Trust(ca_bundle) if address.tls else None
    counts = counts or Counts()
    if address.set_up is SetUp.CLUSTER:
        return _cluster(address, options, trust, limits, counts)
    options |= {"retry": _no_retry(), "db": address.database, "max_connections": CONNECTIONS}
    pool = (
        _master_pool(address, options, trust)
        if address.set_up is SetUp.SENTINEL
        else _pool(address.nodes[0] if address.nodes else address.socket, options, trust)
    )
    client = GuardedRedis(connection_pool=pool)
    client.auto_close_connection_pool = True
    breaker = _breaker(counts)
    client.guard = RedisGuard(breaker, limits=limits, counts=counts)
    client.form = ScriptForm()
    ways = Ways(client.new_connection, lambda: pool.disconnect(inuse_connections=False))
    reading, writing = (SharedConnection(ways, breaker, limits=limits, counts=counts) for _ in range(2))
    client.reads = Reads(reading, breaker, limits=limits, counts=counts)
    client.writes = SharedCommands(writing, breaker, limits=limits, counts=counts)

    def leave_both() -> None:
        reading.leave_now()
        writing.leave_now()

    pool.on_left = leave_both
    return client


def _cluster(
    address: RedisAddress,
    options: dict[str, Any],
    trust: Trust | None,
    limits: RedisLimits,
    counts: Counts,
) -> GuardedCluster:
    cluster = GuardedCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.nodes],
        max_connections=CONNECTIONS,
        retry=_no_retry(),
        # Five redirections would close every connection, also those that others wait at; one moves the slot.
        reinitialize_steps=0,
        # The servers decide whether they serve while a part of the slots is lost.
        require_full_coverage=False,
        **options,
    )
    # redis-py takes no class of connections here. What it made for each node until now is only where the node is.
    cluster.connection_kwargs |= _by(trust)
    cluster.nodes_manager.startup_nodes = {
        node.name: ClusterNode(node.host, node.port, **cluster.connection_kwargs)
        for node in cluster.startup_nodes
    }
    cluster.commands_parser = KeyComesFirst()  # type: ignore[assignment]  # it needs no more
    cluster.guards = defaultdict(lambda: RedisGuard(_breaker(counts), limits=limits, counts=counts))
    cluster.reads = ClusterReads(
        cluster.reader_of, lambda server: _reads_of(cluster, server, limits, counts), cluster.look_anew
    )
    cluster.form = ScriptForm()
    return cluster


def _reads_of(cluster: GuardedCluster, server: str, limits: RedisLimits, counts: Counts) -> Reads:
    breaker = cluster.guards[server].breaker
    ways = Ways(lambda: cluster.connection_to(server), cluster.leave)
    shared = SharedConnection(ways, breaker, limits=limits, counts=counts)
    return Reads(shared, breaker, limits=limits, counts=counts)


def _pool(where: tuple[str, int] | str, options: dict[str, Any], trust: Trust | None) -> Pool:
    if isinstance(where, str):
        return Pool(connection_class=SocketConnection, path=where, **options)
    return Pool(host=where[0], port=where[1], **_by(trust), **options)


def _by(trust: Trust | None) -> dict[str, Any]:
    return (
        {"connection_class": TlsConnection, "trust": trust}
        if trust
        else {"connection_class": PlainConnection}
    )


def _master_pool(address: RedisAddress, options: dict[str, Any], trust: Trust | None) -> MasterPool:
    sentinel_options: dict[str, Any] = {
        # Shorter than a command's: one silent sentinel must leave time to ask the next.
        "socket_connect_timeout": _SENTINEL_SECONDS,
        "socket_timeout": _SENTINEL_SECONDS,
        "protocol": 2,
        "driver_info": None,
        "retry": _no_retry(),
        "username": address.sentinel_username or None,
        "password": address.sentinel_password or None,
    }
    sentinels = Sentinel([])  # type: ignore[no-untyped-call]  # redis-py's; it would make connections of its own
    for node in address.nodes:
        client = Redis(connection_pool=_pool(node, sentinel_options, trust))
        client.auto_close_connection_pool = True
        sentinels.sentinels.append(client)
    by = (
        {"connection_class": MasterTlsConnection, "trust": trust}
        if trust
        else {"connection_class": MasterConnection}
    )
    return MasterPool(address.master, sentinels, **by, **options)  # type: ignore[no-untyped-call]  # the same


def _breaker(counts: Counts) -> CircuitBreaker:
    return CircuitBreaker(
        now=time.monotonic, on_turn=lambda is_open: counts.breaker_turned("redis", is_open=is_open)
    )


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
