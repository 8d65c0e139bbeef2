"""Clusters of Redis servers: brought up, lost in part, and with slots that move."""

import secrets

from tests.real.redis.servers import RedisServer, Servers, until
from tests.stage.ports import free_port

SLOTS_EACH = 5462
_LAST_SLOT = 16_383


class Clusters:
    """Three masters that share the slots, for whoever asks; one that is lost takes only its own slots with it.

    A master serves nothing in the two seconds after its start, so the next cluster comes up while the last is used.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._next = self._begun()

    def take(self) -> list[RedisServer]:
        """Return a cluster that serves, and that nobody else has."""
        taken, self._next = self._next, self._begun()
        for node in taken:
            until(lambda node=node: "cluster_state:ok" in node.ask("CLUSTER", "INFO"), node.log)
        for node in taken:
            until(lambda node=node: len(node.ask("CLUSTER", "SLOTS")) == len(taken), node.log)
        return taken

    def replica_of(self, master: RedisServer, others: list[RedisServer]) -> RedisServer:
        """Start a server that takes over from a master when that is lost; the others vote."""
        replica = self._node(master.password)
        until(replica.is_up, replica.log)
        _meet(replica, master)
        until(lambda: replica.ask("CLUSTER", "REPLICATE", master.ask("CLUSTER", "MYID")), replica.log)
        until(lambda: replica.info("replication")["master_link_status"] == "up", replica.log)
        for node in others:
            until(lambda node=node: f":{replica.port}@" in node.ask("CLUSTER", "NODES"), node.log)
            until(lambda node=node: any(len(slots) > 3 for slots in node.ask("CLUSTER", "SLOTS")), node.log)
        return replica

    def _begun(self) -> list[RedisServer]:
        password = secrets.token_urlsafe(12)
        nodes = [self._node(password) for _ in range(3)]
        for number, node in enumerate(nodes):
            until(node.is_up, node.log)
            first = number * SLOTS_EACH
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, min(first + SLOTS_EACH - 1, _LAST_SLOT))
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            _meet(node, nodes[0])
        return nodes

    def _node(self, password: str) -> RedisServer:
        return self._servers.begun(
            {
                "cluster-enabled": "yes",
                "cluster-port": str(free_port()),
                "cluster-node-timeout": "1000",
                "cluster-require-full-coverage": "no",
                "cluster-replica-validity-factor": "0",
            },
            password=password,
        )


def lost(node: RedisServer, others: list[RedisServer]) -> bool:
    """Whether the other masters hold one for lost."""
    address = f" 127.0.0.1:{node.port}@"
    lines = [
        line for other in others for line in other.ask("CLUSTER", "NODES").splitlines() if address in line
    ]
    return len(lines) == len(others) and all("fail" in line.split()[2].split(",") for line in lines)


def move(cluster: list[RedisServer], slot: int, source: RedisServer, target: RedisServer) -> None:
    """Move a slot with what is in it, as a resharding does: announce, carry over, tell everybody."""
    ids = {server.port: server.ask("CLUSTER", "MYID") for server in (source, target)}
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "AUTH", target.password, "KEYS", *keys)
    for server in (target, source, *cluster):
        server.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[target.port])


def _meet(node: RedisServer, known: RedisServer) -> None:
    bus = known.ask("CONFIG GET", "cluster-port")["cluster-port"]
    node.ask("CLUSTER", "MEET", "127.0.0.1", known.port, bus)
