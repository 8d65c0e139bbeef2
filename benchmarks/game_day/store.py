"""Redis is away, silent, slow, emptied or full.

Owns rows R1 to R7 and R22 as far as one server shows them. Redis is stopped and killed by signals.
"""

import asyncio
import os
import secrets
import signal
from base64 import urlsafe_b64encode
from typing import Final

from benchmarks.game_day.load_client import (
    ask_again_and_again,
    ask_once_each,
    request,
    seconds_until_all_well,
)
from benchmarks.game_day.part_of_stack import another_gateway
from benchmarks.game_day.people import (
    IN,
    PROFILE,
    SESSION,
    arrives,
    asking,
    host_of,
    port_of,
    redis_command,
    redis_port,
    signed_in,
)
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.running import product
from tests.stage.fault_proxy import FaultProxy, Faults

_SOON: Final = 5.0


async def started_without_redis(report: Report, size: Size) -> None:
    """Start a gateway while Redis is away, and Redis comes."""
    with product() as stack:
        await asyncio.to_thread(stack.kill, "valkey")
        with another_gateway(stack) as gateway:
            ready = [request(host_of(stack), "", "/health/ready")]
            away = await ask_once_each(gateway.port, ready * size.of(5), patience=5)
            await asyncio.to_thread(stack.start, "valkey")
            seconds = await seconds_until_all_well(gateway.port, ready)
    report.did("a gateway starts while Redis is away; then Redis comes")
    report.saw("readiness without Redis", away)
    report.promise("it starts, and says that it is not ready", held=away.all_are("503"), seen=away.counts)
    report.promise("it is ready within 5 s of Redis", held=seconds < _SOON, seen=f"{seconds:.1f} s")


async def silent(report: Report, size: Size) -> None:
    """Stop Redis (SIGSTOP) under use, and let it go on."""
    with product() as stack:
        people = await signed_in(stack, size.of(20))
        asked = asking(stack, people, SESSION)
        pid = stack.parts["valkey"].child.pid
        assert pid is not None
        going = asyncio.create_task(
            ask_again_and_again(
                port_of(stack), asked, connections=size.of(20), seconds=size.lasting(10), pause=0.02
            )
        )
        await asyncio.sleep(1)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(size.lasting(6))
        finally:
            os.kill(pid, signal.SIGCONT)
        seconds = await seconds_until_all_well(port_of(stack), asked)
        told = await going
    report.did(f"Redis is stopped by SIGSTOP for {size.lasting(6):.0f} s under use")
    report.saw("people", told)
    report.promise("nobody is signed out", held=not told.signed_out, seen=told.signed_out)
    report.promise(
        "every answer comes within 2 s",
        held=max(told.took) < 2.5 and not told.unanswered,
        seen=f"{max(told.took):.1f} s",
    )
    report.promise("all is well within 5 s", held=seconds < _SOON, seen=f"{seconds:.1f} s")


async def slow(report: Report, size: Size) -> None:
    """Let Redis answer 50 ms, then 450 ms, then 5 s late."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        asked = asking(stack, people, SESSION)
        async with FaultProxy.before("127.0.0.1", redis_port(stack)) as proxy:
            url = stack.redis_url.replace(f":{redis_port(stack)}/", f":{proxy.port}/")
            starting = another_gateway(stack, settings={"GATEWAY_REDIS_URL": url})
            gateway = await asyncio.to_thread(starting.__enter__)
            try:
                for delay in (0.05, 0.45, 5):
                    proxy.faults = Faults(delay=delay)
                    told = await ask_again_and_again(
                        gateway.port, asked, connections=size.of(10), seconds=size.lasting(4)
                    )
                    report.did(f"Redis answers {delay * 1000:.0f} ms late")
                    report.saw(f"{delay * 1000:.0f} ms", told)
                    report.promise(
                        f"{delay * 1000:.0f} ms: nobody is signed out",
                        held=not told.signed_out,
                        seen=told.signed_out,
                    )
                    report.promise(
                        f"{delay * 1000:.0f} ms: every answer comes within 2 s",
                        held=not told.unanswered and max(told.took) < 2.5,
                        seen=f"{max(told.took):.1f} s",
                    )
                    if delay < 0.1:
                        report.promise("50 ms is no outage", held=told.all_are("200"), seen=told.counts)
                proxy.heal()
                seconds = await seconds_until_all_well(gateway.port, asked)
            finally:
                await asyncio.to_thread(starting.__exit__, None, None, None)
    report.promise("all is well within 5 s", held=seconds < _SOON, seen=f"{seconds:.1f} s")


async def killed(report: Report, size: Size) -> None:
    """Kill Redis, which keeps nothing on disk, and start it again."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        looks = asking(stack, people, PROFILE)
        await asyncio.to_thread(stack.kill, "valkey")
        away = await ask_once_each(port_of(stack), looks, patience=5)
        await asyncio.to_thread(stack.start, "valkey")
        await seconds_until_all_well(port_of(stack), [request(host_of(stack), "", "/health/ready")])
        empty = await ask_once_each(port_of(stack), looks, patience=5)
        arrived = await arrives(stack)
    report.did("Redis without persistence is killed, and starts again with nothing")
    report.saw("while it is away", away)
    report.saw("when it is back, empty", empty)
    report.promise(
        "while it is away nobody is told of a sign-out", held=away.all_are("503"), seen=away.counts
    )
    report.promise("then it is one clean 401", held=empty.all_are("401"), seen=empty.counts)
    report.promise("and one sign-in", held=arrived == IN, seen=arrived)


async def full(report: Report, size: Size) -> None:
    """Take Redis' memory away, and give it back."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        redis_command(stack, "CONFIG", "SET", "maxmemory", "1")
        told = await ask_once_each(port_of(stack), asking(stack, people, PROFILE), patience=5)
        arrived = await arrives(stack)
        out = await ask_once_each(
            port_of(stack), asking(stack, people[:1], "/auth/sign-out", "POST"), patience=5
        )
        redis_command(stack, "CONFIG", "SET", "maxmemory", "0")
        well = await arrives(stack)
    report.did("Redis takes no write for want of memory")
    report.saw("who reads", told)
    report.promise("people go on reading", held=told.all_are("200"), seen=told.counts)
    report.promise(
        "signing in says that it is not possible now",
        held="session-store-unavailable" in arrived,
        seen=arrived,
    )
    report.promise("people can sign out", held=out.all_are("200"), seen=out.counts)
    report.promise("with memory, all is well", held=well == IN, seen=well)


async def keys_change(report: Report, size: Size) -> None:
    """Change the sealing key under use, gateway by gateway."""
    new = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        looks = asking(stack, people, PROFILE)
        old = stack.parts["gateway"].child.program.environment["GATEWAY_SEALING_KEYS"]
        with another_gateway(stack, settings={"GATEWAY_SEALING_KEYS": f"{old},{new}"}) as first:
            told = await ask_again_and_again(first.port, looks, connections=size.of(10), seconds=1)
        with another_gateway(stack, settings={"GATEWAY_SEALING_KEYS": f"{new},{old}"}) as second:
            told.add(await ask_again_and_again(second.port, looks, connections=size.of(10), seconds=1))
        told.add(await ask_once_each(port_of(stack), looks, patience=5))
    report.did("gateways with old and new sealing key, then new and old, serve the same people")
    report.saw("people", told)
    report.promise("nobody notices", held=told.all_are("200"), seen=told.counts)


ROWS: Final = (
    Row("R1", "a gateway starts without Redis", started_without_redis),
    Row("R2", "Redis falls silent", silent),
    Row("R3", "Redis is slow", slow),
    Row("R4", "Redis is killed, and comes back empty", killed),
    Row("R7", "Redis has no memory left", full),
    Row("R22", "the sealing key changes under use", keys_change),
)
