"""Nobody reads the log, and descriptors are few.

Owns rows L11 and L12. The limits are those of one gateway alone.
"""

import asyncio
from typing import Final

from benchmarks.game_day.load_client import ask_again_and_again, ask_by_new_connections, held_open, request
from benchmarks.game_day.part_of_stack import Gateway, another_gateway
from benchmarks.game_day.people import SESSION, asking, host_of, signed_in
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.running import product
from devstack.stack import Stack

_IDLE: Final = 1_100
_FEW: Final = 128
_ENOUGH: Final = 1_000


async def nobody_reads(report: Report, size: Size) -> None:
    """Let a gateway's stderr be a pipe that nobody reads, with one process and with two."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        asked = asking(stack, people, SESSION)
        live = [request(host_of(stack), "", "/health/live")]
        for workers in ("1", "2"):
            with another_gateway(stack, log_is_read=False, settings={"GATEWAY_WORKERS": workers}) as gateway:
                told = await ask_again_and_again(gateway.port, asked, connections=10, seconds=size.lasting(4))
                beside = await ask_by_new_connections(gateway.port, live, every=0.1, seconds=1, patience=3)
                ended = await asyncio.to_thread(gateway.child.stop, 8)
            with_workers = f"with {workers} worker(s)"
            report.did(
                f"a gateway {with_workers} whose stderr nobody reads is asked for {size.lasting(4):.0f} s"
            )
            report.saw(f"people {with_workers}", told)
            report.saw(f"/health/live afterwards {with_workers}", beside)
            enough = told.total > size.of(_ENOUGH)
            report.promise(
                f"everybody is answered {with_workers}", held=told.all_are("200") and enough, seen=told.counts
            )
            report.promise(f"health is, too, {with_workers}", held=beside.all_are("200"), seen=beside.counts)
            report.promise(f"it ends when told to, {with_workers}", held=ended, seen=ended)


async def few_descriptors(report: Report, size: Size) -> None:
    """Let 1,100 connections stay idle where 1,024 descriptors are set; then more than the hard limit allows."""
    with product() as stack:
        people = await signed_in(stack, size.of(5))
        with another_gateway(stack, descriptors=(1024, None)) as gateway:
            await _idle(
                report,
                stack,
                gateway,
                asking(stack, people, SESSION),
                count=_IDLE,
                seconds=size.lasting(4),
                limit="1,024 may be raised",
            )
        with another_gateway(stack, descriptors=(_FEW, _FEW)) as gateway:
            await _idle(
                report,
                stack,
                gateway,
                asking(stack, people, SESSION),
                count=2 * _FEW,
                seconds=size.lasting(4),
                limit=f"{_FEW} may not be raised",
            )


async def _idle(
    report: Report,
    stack: Stack,
    gateway: Gateway,
    asked: list[bytes],
    *,
    count: int,
    seconds: float,
    limit: str,
) -> None:
    async with held_open(gateway.port, [b""] * count):
        told = await ask_by_new_connections(gateway.port, asked, every=0.2, seconds=seconds, patience=3)
    await asyncio.sleep(1)
    after = await ask_by_new_connections(
        gateway.port, [request(host_of(stack), "", "/health/live")], every=0.2, seconds=2, patience=5
    )
    lines = gateway.child.log().count("\n") - told.total - after.total
    report.did(f"{count} connections stay idle for {seconds:.0f} s, and {limit}")
    report.saw(f"people meanwhile, {limit}", told)
    report.saw(f"afterwards, {limit}", after)
    report.promise(f"people are served, {limit}", held=told.all_are("200"), seen=told.counts)
    report.promise(
        f"the log stays short, {limit}", held=lines < 100, seen=f"{lines} lines beside those of requests"
    )
    report.promise(f"all is well afterwards, {limit}", held=after.all_are("200"), seen=after.counts)


ROWS: Final = (
    Row("L11", "nobody reads the log", nobody_reads),
    Row("L12", "more idle connections than descriptors", few_descriptors),
)
