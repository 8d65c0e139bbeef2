"""Processes that die, are stopped, or are told to go, by signals from outside.

Owns rows L7, L8, R10 and R19. Signals go only to processes that the row started.
"""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks.game_day.load_client import (
    ask_again_and_again,
    ask_by_new_connections,
    ask_once_each,
    request,
)
from benchmarks.game_day.part_of_stack import Gateway, another_gateway, descendants
from benchmarks.game_day.people import PROFILE, SESSION, Tenant, asking, host_of, port_of, signed_in
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import Tally
from benchmarks.running import product
from devstack.ports import in_use
from devstack.stack import Stack

_TWO: Final = {"GATEWAY_WORKERS": "2"}
_EVERY: Final = 0.02
_LONG: Final = 1.0


async def a_worker_dies(report: Report, size: Size) -> None:
    """Kill one of two workers, then the parent of all."""
    with product(**_TWO) as stack:
        people = await signed_in(stack, size.of(10))
        asked = asking(stack, people, SESSION)
        parent = stack.parts["gateway"].child.pid
        assert parent is not None
        workers = _workers(parent)
        report.did("kill -9 of one of two workers, while a new connection asks every 20 ms")
        going = asyncio.create_task(
            ask_by_new_connections(port_of(stack), asked, every=_EVERY, seconds=size.lasting(10))
        )
        await asyncio.sleep(1)
        os.kill(workers[0], signal.SIGKILL)
        told = await going
        report.saw("people meanwhile", told)
        report.promise(
            "only what the dead worker had is lost: 3 at most",
            held=told.total - told.number("200") <= 3,
            seen=told.total - told.number("200"),
        )
        report.promise(
            "nobody waits for a second", held=max(told.took) < _LONG, seen=f"{max(told.took) * 1000:.0f} ms"
        )
        report.promise(
            "there are two workers again, and one that waits",
            held=len(_workers(parent)) == 3,
            seen=len(_workers(parent)),
        )
        await _without_their_parent(report, stack)


async def _without_their_parent(report: Report, stack: Stack) -> None:
    with another_gateway(stack, settings=_TWO) as gateway:
        orphans = descendants(gateway.pid)
        report.did("kill -9 of the parent of two workers")
        os.kill(gateway.pid, signal.SIGKILL)
        await asyncio.sleep(2)
        alive = [pid for pid in orphans if _is_alive(pid)]
        taken = in_use(gateway.port)
        report.promise(
            "workers end with their parent", held=not alive, seen=f"{len(alive)} live on after 2 s"
        )
        report.promise("a new start finds the port free", held=not taken, seen="in use" if taken else "free")


async def other_signals(report: Report, size: Size) -> None:
    """Send SIGHUP and SIGUSR1 while requests are under way, then SIGTERM."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        slow = asking(stack, people, PROFILE)
        async with Tenant.of(stack) as tenant:
            await tenant.fault("graph.get_me", delay_ms=1500)
            for number in (signal.SIGHUP, signal.SIGUSR1):
                for settings in ({}, _TWO):
                    with another_gateway(stack, settings=settings) as gateway:
                        told = await _signalled(gateway, slow, number)
                        name = f"{number.name} with {settings.get('GATEWAY_WORKERS', '1')} worker(s)"
                        report.saw(name, told)
                        running = gateway.child.running
                    report.promise(
                        f"{name} costs nobody an answer",
                        held=told.all_are("200") and running,
                        seen=f"{told.number('200')} of {told.total} answered, {'still runs' if running else 'ended'}",
                    )
            with another_gateway(stack) as gateway:
                ready = asyncio.create_task(_readiness_while_going(gateway, host_of(stack)))
                told = await _signalled(gateway, slow, signal.SIGTERM)
                says = await ready
            report.did("SIGHUP, SIGUSR1 and SIGTERM while requests of 1.5 s are under way")
            report.saw("SIGTERM", told)
            report.promise(
                "SIGTERM costs nobody an answer",
                held=told.all_are("200"),
                seen=f"{told.number('200')} of {told.total}",
            )
            report.promise("readiness says that it is going", held=says.number("503") > 0, seen=says.counts)


async def _signalled(gateway: Gateway, asked: list[bytes], number: signal.Signals) -> Tally:
    going = asyncio.create_task(ask_once_each(gateway.port, asked, patience=15))
    await asyncio.sleep(0.5)
    os.kill(gateway.pid, number)
    told = await going
    await asyncio.sleep(0.3)
    return told


async def _readiness_while_going(gateway: Gateway, host: str) -> Tally:
    await asyncio.sleep(0.6)
    ports = ((gateway.port, host), (gateway.admin_port, f"127.0.0.1:{gateway.admin_port}"))
    told = Tally()
    for _ in range(6):
        for port, name in ports:
            told.add(await ask_once_each(port, [request(name, "", "/health/ready")], patience=1))
        await asyncio.sleep(0.15)
    return told


async def killed_in_use(report: Report, size: Size) -> None:
    """Kill the only gateway under use, and start it again."""
    with product() as stack:
        people = await signed_in(stack, size.of(20))
        asked = asking(stack, people, PROFILE)
        report.did("kill -9 of the gateway while 20 connections ask, and a new start")
        going = asyncio.create_task(
            ask_again_and_again(port_of(stack), asked, connections=size.of(20), seconds=size.lasting(5))
        )
        await asyncio.sleep(1)
        await asyncio.to_thread(stack.kill, "gateway")
        await asyncio.to_thread(stack.start, "gateway")
        report.saw("people meanwhile", await going)
        after = await ask_once_each(port_of(stack), asked, patience=10)
        report.saw("everybody afterwards", after)
        report.promise("nobody is signed out", held=after.all_are("200"), seen=after.signed_out)


async def told_to_go(report: Report, size: Size) -> None:
    """Send SIGTERM while reads are under way that take two seconds."""
    with product() as stack:
        people = await signed_in(stack, size.of(20))
        async with Tenant.of(stack) as tenant:
            await tenant.fault("graph.get_me", delay_ms=2000)
            report.did("SIGTERM while reads of 2 s are under way")
            going = asyncio.create_task(
                ask_once_each(port_of(stack), asking(stack, people, PROFILE), patience=20)
            )
            await asyncio.sleep(0.7)
            in_time = await asyncio.to_thread(stack.parts["gateway"].child.stop, 25)
            told = await going
        report.saw("who was being served", told)
        report.promise("what is under way is finished", held=told.all_are("200"), seen=told.counts)
        report.promise("then it is gone by itself", held=in_time, seen=in_time)


def _workers(parent: int) -> list[int]:
    """Return the workers of a gateway: what multiprocessing spawned, not the tracker that it keeps beside them."""
    return [pid for pid in descendants(parent) if b"spawn_main" in _command(pid)]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


ROWS: Final = (
    Row("L7", "a worker dies, and the parent of workers", a_worker_dies),
    Row("L8", "SIGHUP, SIGUSR1 and SIGTERM while people are served", other_signals),
    Row("R10", "the gateway is killed under use", killed_in_use),
    Row("R19", "the gateway is told to go while people are served", told_to_go),
)
