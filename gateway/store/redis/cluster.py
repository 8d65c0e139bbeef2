"""A client of a cluster: each server with a guard of its own, and no way of redis-py's that costs everybody.

Owns finding the server of a key for what must happen by one connection, and what is done while nobody serves a slot.
Never knows what a command is for.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ClusterDownError, MovedError, RedisClusterException, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.client import WAIT_MILLISECONDS, RedisGuard, may_happen_twice
from gateway.store.redis.cluster_reads import ClusterReads
from gateway.store.redis.script_calls import ScriptCall, ScriptForm


class KeyComesFirst:
    """Where the key is: all commands of the vault but EVAL and EVALSHA, which redis-py knows, have it in front.

    redis-py would ask the server for all its commands whenever it looks for the servers anew, which takes a right, and
    holds up the event loop for 40 ms.
    """

    async def initialize(self, node: ClusterNode) -> None:
        """Ask nobody."""

    async def get_keys(self, *args: Any) -> tuple[Any, ...]:
        """Return the key of a command."""
        return args[1:2]


class GuardedCluster(RedisCluster):
    """A client of a cluster."""

    form: ScriptForm
    reads: ClusterReads
    has_slots: ClassVar[bool] = True
    guards: defaultdict[str, RedisGuard]
    """By server, with one by no name: who waits for a server that is lost must not hold up the people of the others."""

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Send one command by way of the guard of the server that it concerns."""
        keyless = kwargs.get("target_nodes") or len(args) == 1
        is_script = args[0] in {"EVAL", "EVALSHA"}
        guard = self.guards[""] if keyless else self._guard_of(args[3] if is_script else args[1])
        return await guard.run(lambda: self._send(*args, **kwargs), again=may_happen_twice(args))

    async def _send(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().execute_command(*args, **kwargs)
        except KeyError as error:
            # redis-py's, where nobody serves the slot; and it would not look again whether somebody does.
            self._initialize = True
            raise ClusterDownError("nobody serves this slot") from error

    def _guard_of(self, key: str) -> RedisGuard:
        return self.guards[self.server_of(key)]

    async def run_script(self, call: ScriptCall) -> Any:
        """Run a script."""
        return await self.form.run(lambda by_sha1: self.execute_command(*call.command(by_sha1=by_sha1)))

    async def run_together(
        self,
        before: Sequence[ScriptCall],
        main: ScriptCall,
        after: Sequence[ScriptCall] = (),
        *,
        replicas: int | None = None,
    ) -> tuple[Any, bool, list[Any]]:
        """Run `before`, then `main`, then `after`.

        Returns what `main` returns, whether `replicas` have it, and what the scripts `before` return.
        Their keys lie in different slots, so they go to their servers one after another; scripts that stand on the same
        side go side by side. redis-py's pipeline would send a script on after a redirection, elsewhere than WAIT, and
        would go on asking a server that is lost.
        """
        said = await asyncio.gather(*map(self.run_script, before))
        if replicas is None:
            result, reached = await self.run_script(main), True
        else:
            wait = ("WAIT", replicas, WAIT_MILLISECONDS)
            guard = self._guard_of(main.keys[0])

            async def send(by_sha1: bool) -> list[Any]:  # noqa: FBT001 - as ScriptForm calls it
                command = main.command(by_sha1=by_sha1)
                return await guard.run(lambda: self._on_one(main.keys[0], command, wait))

            result, count = await self.form.run(send)
            reached = int(count) >= replicas
        await asyncio.gather(*map(self.run_script, after))
        return result, reached, said

    async def _on_one(self, key: str, *commands: Sequence[Any]) -> list[Any]:
        """Send commands by one connection to the server that has the key, also where the key has moved to."""
        for last in (False, True):
            await self.initialize()
            node = self.get_node_from_key(key)
            if node is None:
                raise RedisConnectionError("no server has this slot")
            sent = [PipelineCommand(number, *command) for number, command in enumerate(commands)]
            try:
                await node.execute_pipeline(sent)
                for one in sent:
                    if isinstance(one.result, Exception):
                        raise one.result
            except MovedError as moved:
                if last:
                    raise
                await self.nodes_manager.move_slot(moved)  # and nothing was done there
            except (RedisConnectionError, RedisTimeoutError):
                self._initialize = True
                raise
            else:
                return [one.result for one in sent]
        raise AssertionError  # the last try raises or returns

    async def new_connection(self, key: str = "") -> AbstractConnection:
        """Return a connection of no pool, not connected yet, to the server of a key or to any."""
        try:
            await self.initialize()
        except RedisClusterException as error:
            raise RedisConnectionError(type(error).__name__) from error
        anyone = random.choice(list(self.nodes_manager.nodes_cache.values()))  # noqa: S311 - nothing is secret about it
        node = (key and self.get_node_from_key(key)) or anyone
        connection: AbstractConnection = node.connection_class(**node.connection_kwargs)
        return connection

    def server_of(self, key: str | bytes) -> str:
        """Return the name of the server that has a key, as far as we know."""
        servers = self.nodes_manager.slots_cache.get(self.keyslot(key))
        return servers[0].name if servers else ""

    def reader_of(self, key: bytes) -> str:
        """Return the name of the server that has a key; none while the servers are to be looked for anew."""
        return "" if self._initialize else self.server_of(key)

    async def connection_to(self, server: str) -> AbstractConnection:
        """Return a connection of no pool, not connected yet, to a server by its name."""
        node = self.nodes_manager.nodes_cache.get(server)
        if node is None:
            raise RedisConnectionError("this server is none of the cluster any more")
        connection: AbstractConnection = node.connection_class(**node.connection_kwargs)
        return connection

    def look_anew(self) -> None:
        """Look for the servers anew before the next command."""
        self._initialize = True

    async def leave(self) -> None:
        """Do the same, where a server gives reason to."""
        self.look_anew()

    async def aclose(self) -> None:
        """Close every connection; redis-py closes none while it means to look for the servers anew."""
        await self.reads.aclose()
        await super().aclose()
        caches = self.nodes_manager.nodes_cache, self.nodes_manager.startup_nodes
        for node in (node for nodes in caches for node in nodes.values()):
            with suppress(RedisError):
                await node.disconnect()
