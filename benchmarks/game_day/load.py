"""More is asked than can be done at once, by `wrk` where it is installed and by our own load client.

Owns rows L1 and L15's streams. Each load lasts a few seconds; goodput is compared within one row, in turns.
"""

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE
from typing import Final

from benchmarks.game_day.load_client import (
    ask_again_and_again,
    ask_by_new_connections,
    ask_once_each,
    held_open,
    request,
)
from benchmarks.game_day.part_of_stack import computing_seconds
from benchmarks.game_day.people import SESSION, Person, asking, host_of, port_of, signed_in
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import Tally
from benchmarks.running import product
from devstack.stack import Stack

_FEW: Final = 50
_MANY: Final = 2_000
_SECONDS: Final = 4
_UNCOUNTED: Final = 6
"""At most, until each connection has been answered once."""
_STORE: Final = "session-store-unavailable"
_STREAMS: Final = 500
_RATE: Final = re.compile(r"Requests/sec: +([\d.]+)")
_BAD: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_DONE: Final = re.compile(r"(\d+) requests in")


async def many_connections(report: Report, size: Size) -> None:
    """2,000 connections ask for the session, in turns with 50."""
    with product() as stack:
        people = await signed_in(stack, size.of(20))
        await _in_turns(report, size, stack, people)
        await _with_wrk(report, size, stack, people[0])
        burst = size.of(200)
        report.did(f"{burst} requests at the same moment, each by a new connection")
        wave = asking(stack, people, SESSION)
        told = await ask_once_each(port_of(stack), [wave[n % len(wave)] for n in range(burst)], patience=10)
        report.saw("the burst", told)
        report.promise(
            "a burst hears nothing false of Redis", held=not told.number(_STORE), seen=told.number(_STORE)
        )


async def _in_turns(report: Report, size: Size, stack: Stack, people: list[Person]) -> None:
    port, asked = port_of(stack), asking(stack, people, SESSION)
    few_count, many_count, seconds = size.of(_FEW), size.of(_MANY), size.lasting(_SECONDS)
    report.did(f"{few_count} and {many_count} connections in turns, twice, for {seconds:.0f} s each")
    few, many, beside = Tally(), Tally(), Tally()
    for _ in range(2):
        few.add(
            await ask_again_and_again(
                port, asked, connections=few_count, seconds=seconds, uncounted=_UNCOUNTED
            )
        )
        live = asyncio.create_task(
            ask_by_new_connections(
                port, [request(host_of(stack), "", "/health/live")], every=0.25, seconds=seconds
            )
        )
        many.add(
            await ask_again_and_again(
                port, asked, connections=many_count, seconds=seconds, uncounted=_UNCOUNTED
            )
        )
        beside.add(await live)
    report.saw(f"{few_count} connections", few)
    report.saw(f"{many_count} connections", many)
    report.saw("/health/live beside them", beside)
    part = many.goodput / few.goodput if few.goodput else 0
    if shutil.which("wrk"):
        # Ours computes for a core itself, the more so with many connections, and takes it from what it measures.
        report.told(f"goodput is {part:.2f} of that of few connections")
    else:
        report.promise(
            "goodput is at least 0.8 of that of few connections", held=part >= 0.8, seen=f"{part:.2f}"
        )
    report.promise("nobody is told that Redis failed", held=not many.number(_STORE), seen=many.number(_STORE))
    report.promise("nobody is signed out", held=not many.signed_out, seen=many.signed_out)
    report.promise(
        "health is always answered",
        held=beside.all_are("200"),
        seen=f"{beside.number('200')} of {beside.total}",
    )


async def _with_wrk(report: Report, size: Size, stack: Stack, person: Person) -> None:
    if not shutil.which("wrk"):
        report.pass_over("the same by wrk, which is not installed")
        return
    rates: dict[int, float] = {}
    for connections in (size.of(_FEW), size.of(_MANY)):
        process = await asyncio.create_subprocess_exec(
            "wrk", "-t", "1", "-c", str(connections), "-d", f"{size.lasting(_SECONDS):.0f}s", "--latency",
            "-H", f"Cookie: {person.cookie}", "-H", "X-CSRF: 1", f"http://127.0.0.1:{port_of(stack)}{SESSION}",
            "-H", f"Host: {host_of(stack)}", stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        text = (await process.communicate())[0].decode()
        done, bad, rate = _DONE.search(text), _BAD.search(text), _RATE.search(text)
        if not done or not rate:
            report.promise("wrk says what it saw", held=False, seen=text[-200:])
            return
        refused = int(bad[1]) if bad else 0
        rates[connections] = float(rate[1]) * (1 - refused / max(1, int(done[1])))
        report.told(
            f"wrk -c {connections}: {done[1]} answers, {refused} no success, {rates[connections]:.0f} good a second"
        )
    few, many = rates[size.of(_FEW)], rates[size.of(_MANY)]
    report.promise(
        "goodput by wrk is at least 0.8 of that of few connections",
        held=many >= 0.8 * few,
        seen=f"{many / few if few else 0:.2f}",
    )


async def idle_streams(report: Report, size: Size) -> None:
    """500 pages listen to their session, and nothing happens."""
    with product() as stack:
        people = await signed_in(stack, size.of(125))
        count, seconds = size.of(_STREAMS), size.lasting(8)
        pid = stack.parts["gateway"].child.pid
        assert pid is not None
        idle = await _computed(pid, seconds)
        listening = asking(stack, people, "/api/session/events")
        asked = [listening[number % len(people)] for number in range(count)]
        report.did(f"{count} streams of {len(people)} people, and nothing happens for {seconds:.0f} s")
        async with held_open(port_of(stack), asked) as answers:
            await asyncio.sleep(2)
            busy = await _computed(pid, seconds)
        opened = sum(b" 200 " in line for line in answers)
        report.told(f"{opened} streams are open; {busy:.1%} of a core, {idle:.1%} without them")
        per_thousand = (busy - idle) * 1000 / max(1, opened)
        report.promise("every stream is opened", held=opened == count, seen=opened)
        report.promise(
            "1,000 idle streams cost below 2 % of a core",
            held=per_thousand < 0.02,
            seen=f"{per_thousand:.1%}",
        )


async def _computed(pid: int, seconds: float) -> float:
    before = computing_seconds(pid)
    await asyncio.sleep(seconds)
    return (computing_seconds(pid) - before) / seconds


ROWS: Final = (
    Row("L1", "2,000 connections ask at once", many_connections),
    Row("L15c", "500 pages listen, and nothing happens", idle_streams),
)
