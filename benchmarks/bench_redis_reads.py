"""What a read of a session costs the gateway: by the connection that reads share, and by a pool as before.

Prints, for one server, Sentinel and a cluster of three, the computing time of this process in microseconds a read, with
many callers at once and with one alone; one turn of the event loop is among it, and told apart. Each figure is the best
of the turns, which take turns with each other, as on a computer that does other things as well.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.session.cookie import SessionCookie
from gateway.store.redis.budget import LIMITS, redis_budget
from gateway.store.redis.connection import redis_client
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.redis_clock import RedisClock
from gateway.store.scripts import READ
from gateway.store.sealing import KeyRing
from gateway.store.vault import SEEN, WRITES, Vault
from servicekit import event_loop
from tests.real.redis.clusters import Clusters
from tests.real.redis.servers import Servers
from tests.real.redis.watched_pair import WatchedPair

SESSION_BYTES = 1000


def cluster_of_three(servers: Servers) -> str:
    """Start a cluster; return its address."""
    nodes = Clusters(servers).take()
    return f"redis+cluster://:{nodes[0].password}@127.0.0.1:{nodes[0].port}"


SETUPS: dict[str, Callable[[Servers], str]] = {
    "one server": lambda servers: servers.one().url,
    "Sentinel": lambda servers: WatchedPair(servers).url,
    "Cluster": cluster_of_three,
}


async def cost(read: Callable[[], Awaitable[object]], *, callers: int, reads: int) -> float:
    """Return the computing time of one read in microseconds."""

    async def caller() -> None:
        for _ in range(reads // callers):
            with redis_budget(LIMITS.request):
                await read()

    await read()
    began = time.process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return (time.process_time() - began) / (reads // callers * callers) * 1e6


async def measure(name: str, url: str, *, reads: int, turns: int) -> None:
    """Print the figures of one set-up."""
    redis = redis_client(url)
    vault = Vault(redis, KeyRing([b"k" * 32]), now=RedisClock())
    ref = SessionCookie.new().ref
    held = {SEEN: "1750000000000", WRITES: "4", "session": "s" * SESSION_BYTES}
    await redis.execute_command("HSET", ref.key, *(part for pair in held.items() for part in pair))
    command = vault.mark_command(ref)
    script = ScriptCall(READ, [ref.key], [SEEN, WRITES])
    await vault.run(READ, [ref.key], [SEEN])  # from here on its SHA-1 is known
    ways: dict[str, Callable[[], Awaitable[object]]] = {
        "a turn of the event loop": lambda: asyncio.sleep(0),
        "the mark, by the pool": lambda: redis.execute_command(*script.command(by_sha1=True)),
        "the mark": lambda: vault.read_mark(command, ref),
        "the mark and the session": lambda: vault.read(ref, ["session", SEEN, WRITES]),
    }
    for callers in (64, 1):
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(turns):
            for way, read in ways.items():
                best[way] = min(best[way], await cost(read, callers=callers, reads=reads))
        for way, figure in best.items():
            print(f"| {name} | {callers} | {way} | {figure:.1f} |")
    await redis.aclose()


def main() -> None:
    """Start each set-up and measure it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reads", type=int, default=6400)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    print("| set-up | callers at once | what | µs of computing time |\n|---|---|---|---|")
    for name, start in SETUPS.items():
        with tempfile.TemporaryDirectory() as folder:
            servers = Servers(Path(folder) / "servers")
            try:
                event_loop.run(measure(name, start(servers), reads=options.reads, turns=options.turns))
            finally:
                servers.close()


if __name__ == "__main__":
    main()
