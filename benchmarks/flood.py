"""One account and one address against a small Redis, while somebody else goes on: who notices, and how full it gets.

Starts the product with a Valkey of 12 MB that evicts nothing. One account signs in again and again, from address to
address, and fills each session; one address begins sign-ins without end; a person from elsewhere goes through the
whole story over and over. Prints what each was answered, and how much memory was in use meanwhile.

    python -m benchmarks.flood [--seconds 120] [--megabytes 12]
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.asyncio import Redis

from benchmarks.running import product
from devstack.stack import Stack
from gateway.settings import Settings
from tests.stage.flood import Flood
from tests.stage.notes_upstream import Notes, rows_file
from tests.stage.ports import free_port

PLACES = 3
"""How many browsers each of the flooders uses at once."""
EVERY = 10
BETWEEN_STORIES = 7
"""Seconds: nobody confirms more often than ten times in a minute."""
MEGABYTE = 1_048_576


async def again(work: Callable[[], Awaitable[None]], until: float, flood: Flood, whose: str) -> None:
    """Repeat something until then; what goes wrong is counted."""
    while time.monotonic() < until:
        try:
            await work()
        except (AssertionError, OSError, TimeoutError) as error:
            flood.seen[f"{whose}: {type(error).__name__} {str(error)[:60]}"] += 1


async def watch(redis: Redis, until: float) -> int:
    """Print how full Redis is, and return how full it was at most."""
    most = 0
    began = time.monotonic()
    while time.monotonic() < until:
        await asyncio.sleep(EVERY)
        memory = await redis.info("memory")
        most = max(most, memory["used_memory"])
        spent = time.monotonic() - began
        print(f"{spent:4.0f} s  {memory['used_memory'] / MEGABYTE:5.2f} MB in {await redis.dbsize()} keys")
    return most


async def measure(stack: Stack, seconds: float, megabytes: int) -> None:
    """Flood, and print."""
    flood = Flood(stack.gateway_url, stack.tenant_url)
    async with Redis.from_url(stack.redis_url) as redis:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", f"{megabytes}mb")
        await flood.somebody_else()
        at_rest = (await redis.info("memory"))["used_memory"]
        until = time.monotonic() + seconds
        watching = asyncio.create_task(watch(redis, until))
        flooders = [
            again(work, until, flood, whose)
            for whose, work in (
                ("account", lambda: flood.account(1)),
                ("address", lambda: flood.address(10)),
            )
            for _ in range(PLACES)
        ]

        async def story() -> None:
            await flood.somebody_else()
            await asyncio.sleep(BETWEEN_STORIES)

        await asyncio.gather(*flooders, again(story, until, flood, "somebody else"))
        most = await watching
        refused = (await redis.info("errorstats")).get("errorstat_OOM", {"count": 0})["count"]
    for what, count in sorted(flood.seen.items()):
        print(f"{count:7} {what}")
    print(
        f"at rest {at_rest / MEGABYTE:.2f} MB, at most {most / MEGABYTE:.2f} MB, commands refused by Redis: {refused}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--megabytes", type=int, default=12)
    arguments = parser.parse_args()
    # As in production but for the proxy, whose word the flooders' addresses are.
    settings = {
        "GATEWAY_JOURNEYS_PER_MINUTE": str(Settings.model_fields["journeys_per_minute"].default),
        "GATEWAY_TRUSTED_PROXIES": "127.0.0.1,::1",
    }
    with TemporaryDirectory() as folder:
        # Nobody is there: what step-up interrupts never gets so far.
        rows = rows_file(Path(folder), Notes(f"http://127.0.0.1:{free_port()}"))
        flooded(arguments.seconds, arguments.megabytes, {**settings, "GATEWAY_UPSTREAMS": rows})


def flooded(seconds: float, megabytes: int, settings: dict[str, str]) -> None:
    """Start the product with these settings, flood it, and print."""
    with product(**settings) as stack:
        asyncio.run(measure(stack, seconds, megabytes))


if __name__ == "__main__":
    main()
