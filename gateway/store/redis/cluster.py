"""A client of a cluster: each server with a guard of its own, and no way of redis-py's that costs everybody.

Owns finding the server of a key for what must happen by one connection, and what is done while nobody serves a slot.
Never knows what a command is for.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.exceptions import ClusterDownError, MovedError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.client import WAIT_MILLISECONDS, RedisGuard, may_happen_twice


class KeyComesFirst:
    """Where the key is: all commands of the vault but EVAL, which redis-py knows, have it in front.

    redis-py would ask the server for all its commands whenever it looks for the servers anew, which takes a right, and
    holds up the event loop for 40 ms.
    """

    async def initialize(self, node: ClusterNode) -> None:
        """Ask nobody."""

    async def get_keys(self, *args: Any) -> tuple[Any, ...]:  # noqa: ANN401 - redis-py's signature
        """Return the key of a command."""
        return args[1:2]


class GuardedCluster(RedisCluster):
    """A client of a cluster."""

    guards: defaultdict[str, RedisGuard]
    """By server, with one by no name: who waits for a server that is lost must not hold up the people of the others."""

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - redis-py's signature
        """Send one command by way of the guard of the server that it concerns."""
        keyless = kwargs.get("target_nodes") or len(args) == 1
        guard = self.guards[""] if keyless else self._guard_of(args[3] if args[0] == "EVAL" else args[1])
        return await guard.run(lambda: self._send(*args, **kwargs), again=may_happen_twice(args))

    async def _send(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the same
        try:
            return await super().execute_command(*args, **kwargs)
        except KeyError as error:
            # redis-py's, where nobody serves the slot; and it would not look again whether somebody does.
            self._initialize = True
            raise ClusterDownError("nobody serves this slot") from error

    def _guard_of(self, key: str) -> RedisGuard:
        servers = self.nodes_manager.slots_cache.get(self.keyslot(key))
        return self.guards[servers[0].name if servers else ""]

    async def run_confirmed(
        self, script: str, keys: Sequence[str], arguments: Sequence[Any], *, replicas: int
    ) -> tuple[Any, bool]:
        """Run a script, and say whether `replicas` of its shard have its effect.

        redis-py's pipeline would send the script on after a redirection, elsewhere than WAIT, and would go on asking
        a server that is lost.
        """
        script_call = ("EVAL", script, len(keys), *keys, *arguments)
        wait = ("WAIT", replicas, WAIT_MILLISECONDS)
        answer, reached = await self._guard_of(keys[0]).run(lambda: self._on_one(keys[0], script_call, wait))
        return answer, int(reached) >= replicas

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

    async def aclose(self) -> None:
        """Close every connection; redis-py closes none while it means to look for the servers anew."""
        await super().aclose()
        known = self.nodes_manager.nodes_cache, self.nodes_manager.startup_nodes
        for node in (node for nodes in known for node in nodes.values()):
            with suppress(RedisError):
                await node.disconnect()
