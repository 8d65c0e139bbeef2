"""How Redis is set up: what it evicts, and whether a replica is there.

Owns rows L15a and L15b.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Final

import redis

from benchmarks.game_day.load_client import ask_once_each
from benchmarks.game_day.part_of_stack import another_gateway
from benchmarks.game_day.people import (
    PROFILE,
    asking,
    port_of,
    redis_command,
    redis_port,
    signed_in,
)
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import Tally
from benchmarks.running import product
from devstack.keeper import Keeper
from devstack.ports import free_port
from devstack.processes import Child
from devstack.stack import Stack

_CONFIRMED: Final = {"GATEWAY_REDIS_WAIT_REPLICAS": "1"}


async def evicting(report: Report, size: Size) -> None:  # noqa: ARG001 - a start is a start
    """Let Redis throw away what it likes, and start a gateway."""
    with product() as stack:
        redis_command(stack, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        with another_gateway(stack) as gateway:
            await asyncio.sleep(2)
            log = gateway.child.log()
    told = [line for line in log.splitlines() if "evict" in line or "maxmemory" in line]
    report.did("maxmemory-policy is allkeys-lru when a gateway starts")
    report.promise("the log warns of it", held=bool(told), seen=told[0][:200] if told else "no line")


async def without_a_replica(report: Report, size: Size) -> None:  # noqa: ARG001 - two people are enough
    """Let sign-out be confirmed by a replica, and take the replica away."""
    with product(**_CONFIRMED) as stack:
        first, second = await signed_in(stack, 2)
        asked, other = (asking(stack, [person], "/auth/sign-out", "POST") for person in (first, second))
        with _replica(stack):
            await _until_replicas(stack, 1)
            with_one = await _until_done(stack, asked, 10)
        await _until_replicas(stack, 0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        without = await _until_done(stack, other, 36)
        took = loop.time() - began
        left = await ask_once_each(port_of(stack), asking(stack, [first, second], PROFILE), patience=5)
    report.did(
        "one person signs out while a replica is there, another when it has been killed, again and again for 36 s"
    )
    report.saw("with a replica", with_one)
    report.saw("without one, at last", without)
    report.saw("what their cookies are worth afterwards", left)
    report.promise("a confirmed sign-out is told as done", held=with_one.all_are("200"), seen=with_one.counts)
    report.promise(
        "people can sign out without a replica, too",
        held=without.all_are("200"),
        seen=f"{dict(without.counts)} after {took:.0f} s",
    )
    report.promise("both have ended", held=left.all_are("401"), seen=left.counts)


@contextmanager
def _replica(stack: Stack) -> Iterator[None]:
    """Run a replica of the product's Redis while the block runs, and kill it then."""
    usual = stack.parts["valkey"].child.program
    port, password = free_port(), stack.valkey.password if stack.valkey else ""
    text = usual.standard_input.replace(f"port {redis_port(stack)}\n", f"port {port}\n")
    text += f"replicaof 127.0.0.1 {redis_port(stack)}\nmasterauth {password}\n"
    with closing(Keeper()) as keeper:
        log = usual.log_file.with_name("replica.log")
        replica = Child(replace(usual, name="replica", standard_input=text, log_file=log), keeper)
        replica.start()
        try:
            yield
        finally:
            replica.kill()


async def _until_replicas(stack: Stack, count: int) -> None:
    """Wait until so many are in step."""
    async with asyncio.timeout(15):
        while await asyncio.to_thread(_replicas, stack) != count:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.1)


def _replicas(stack: Stack) -> int:
    with redis.Redis.from_url(stack.redis_url) as client:
        said = client.info("replication").items()
    return sum("'online'" in str(value) for name, value in said if name.startswith("slave"))


async def _until_done(stack: Stack, asked: list[bytes], patience: float) -> Tally:
    """Sign out, again each second where it is not told as done; return the last answer."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        told = await ask_once_each(port_of(stack), asked, patience=10)
        if told.all_are("200") or loop.time() - began > patience:
            return told
        await asyncio.sleep(1)


ROWS: Final = (
    Row("L15a", "a gateway starts, and Redis evicts", evicting),
    Row("L15b", "sign-out is to be confirmed, and there is no replica any more", without_a_replica),
)
