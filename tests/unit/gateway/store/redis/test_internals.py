"""What the gateway leans on in redis-py beside its public interface; the decision record of 2026-11-26 lists it.

tests/real/redis prove what each of them does, with real servers; these fail first, and by name.
"""

import inspect
import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import redis
from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.asyncio.connection import (
    AbstractConnection,
    DefaultParser,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.connection import Connection as TcpConnection
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection
from redis.exceptions import MovedError, NoPermissionError

from tests.stage.sources import ROOT


def names(called: Callable[..., Any]) -> list[str]:
    """Return the names of what a function takes."""
    return [name for name in inspect.signature(called).parameters if name != "self"]


def untyped(called: Any) -> Any:
    """Return what it is given: redis-py has no types for it."""
    return called


def cluster() -> RedisCluster:
    """Return a cluster's client, which connects to nothing before its first command."""
    return RedisCluster(startup_nodes=[ClusterNode("localhost", 7000)], reinitialize_steps=0)


@pytest.mark.parametrize(
    "there",
    [
        lambda: inspect.iscoroutinefunction(AbstractConnection.connect_check_health),
        lambda: "nowait" in names(AbstractConnection.disconnect),
        lambda: inspect.iscoroutinefunction(SSLConnection._connect),
        lambda: "self.socket_connect_timeout" in inspect.getsource(TcpConnection._connect),
        lambda: "self.socket_connect_timeout" in inspect.getsource(UnixDomainSocketConnection._connect),
        lambda: names(TcpConnection.read_response)[:2] == ["disable_decoding", "timeout"],
        lambda: hasattr(SSLConnection().ssl_context, "context"),
        lambda: len(ConnectionPool()._available_connections) == 0,
        lambda: names(ConnectionPool.disconnect) == ["inuse_connections"],
        lambda: isinstance(untyped(ConnectionPool()).make_connection(), AbstractConnection),
        lambda: "timeout" in names(AbstractConnection.read_response),
        lambda: issubclass(ClusterNode("localhost", 7000).connection_class, AbstractConnection),
        lambda: issubclass(SentinelManagedConnection, AbstractConnection),
        lambda: hasattr(untyped(SentinelConnectionPool)("one", untyped(Sentinel)([])), "sentinel_manager"),
        lambda: isinstance(untyped(Sentinel)([]).sentinels, list),
        lambda: names(Redis.pipeline) == ["transaction", "shard_hint"],
        lambda: isinstance(untyped(ConnectionPool()).get_available_connection(), AbstractConnection),
        lambda: inspect.iscoroutinefunction(ConnectionPool.ensure_connection),
        lambda: names(ConnectionPool.release) == ["connection"],
        lambda: "self.socket_timeout" in inspect.getsource(AbstractConnection.send_packed_command),
        lambda: Redis().auto_close_connection_pool is True,
        lambda: cluster()._initialize is True,
        lambda: isinstance(cluster().connection_kwargs, dict),
        lambda: isinstance(cluster().nodes_manager.startup_nodes, dict),
        lambda: isinstance(cluster().nodes_manager.nodes_cache, dict),
        lambda: isinstance(cluster().nodes_manager.slots_cache, dict),
        lambda: inspect.iscoroutinefunction(cluster().nodes_manager.move_slot),
        lambda: names(cluster().commands_parser.initialize) == ["node"],
        lambda: inspect.iscoroutinefunction(cluster().commands_parser.get_keys),
        lambda: inspect.iscoroutinefunction(ClusterNode.execute_pipeline),
        lambda: hasattr(AbstractConnection, "_writer"),
        lambda: inspect.isfunction(AbstractConnection._close),
        lambda: inspect.iscoroutinefunction(AbstractConnection.can_read),
        lambda: isinstance(untyped(DefaultParser).parse_error("NOPERM no"), NoPermissionError),
        lambda: PipelineCommand(0, "GET", "a").result is None,
        lambda: MovedError("1 localhost:7001").slot_id == 1,
    ],
    ids=lambda there: re.sub(r"\s+", " ", inspect.getsource(there)).strip(" ,").removeprefix("lambda: "),
)
async def test_every_internal_of_redis_py_that_we_lean_on_is_there(there: Callable[[], object]) -> None:
    assert there()


def test_only_the_minor_version_that_was_tried_may_be_installed() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "dependencies"
    ]
    major, minor = map(int, redis.__version__.split(".")[:2])

    assert f"redis>={major}.{minor},<{major}.{minor + 1}" in dependencies
