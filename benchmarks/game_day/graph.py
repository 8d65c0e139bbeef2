"""Graph hangs, or throttles.

Owns rows L10 and R17. The local tenant fails on order; nothing of ours does.
"""

import asyncio
from typing import Final

from benchmarks.game_day.load_client import (
    ask_again_and_again,
    ask_by_new_connections,
    ask_once_each,
    seconds_until_all_well,
)
from benchmarks.game_day.people import IN, PROFILE, SESSION, Tenant, arrives, asking, port_of, signed_in
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import percentile
from benchmarks.running import product


async def graph_hangs(report: Report, size: Size) -> None:
    """Let Graph take a minute for every read, which is looked at again and again; then it is well."""
    with product() as stack:
        people = await signed_in(stack, size.of(20))
        looks = asking(stack, people, PROFILE)
        async with Tenant.of(stack) as tenant:
            await tenant.fault("graph.get_me", delay_ms=60_000)
            reading = asyncio.create_task(
                ask_again_and_again(
                    port_of(stack), looks, connections=size.of(200), seconds=size.lasting(16), pause=1
                )
            )
            await asyncio.sleep(size.lasting(9))
            late = await ask_by_new_connections(
                port_of(stack), looks, every=0.25, seconds=size.lasting(3), patience=10
            )
            beside = await ask_by_new_connections(
                port_of(stack), asking(stack, people, SESSION), every=0.1, seconds=3
            )
            arrived = await arrives(stack)
            told = await reading
            await tenant.heal()
        healed = await seconds_until_all_well(port_of(stack), looks)
    report.did(f"Graph hangs while {size.of(200)} connections look at profiles, and then others, too")

    report.saw("who looks all the time", told)
    report.saw("who looks later", late)
    report.saw("who asks for the session meanwhile", beside)
    report.promise(
        "after the first, people are told within a second",
        held=percentile(late.took, 0.9) < 1 and not late.unanswered,
        seen=f"p90 {percentile(late.took, 0.9):.1f} s, {late.unanswered} unanswered",
    )
    report.promise(
        "who asks for something else never notices",
        held=beside.all_are("200") and percentile(beside.took, 0.9) < 0.5,
        seen=f"p90 {percentile(beside.took, 0.9) * 1000:.0f} ms",
    )
    report.promise("a sign-in comes to its end", held=arrived == IN, seen=arrived)
    report.promise("all is well within 6 s of Graph's recovery", held=healed < 6, seen=f"{healed:.1f} s")


async def graph_throttles(report: Report, size: Size) -> None:
    """Let Graph answer 429: once with a second's pause, then with a minute's."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        looks = asking(stack, people, PROFILE)
        async with Tenant.of(stack) as tenant:
            await tenant.fault("graph.get_me", status=429, retry_after=1, times=1)
            soon = await ask_once_each(port_of(stack), looks[:1], patience=10)
            await tenant.fault("graph.get_me", status=429, retry_after=60)
            late = await ask_once_each(port_of(stack), looks, patience=10)
            await tenant.heal()
        healed = await seconds_until_all_well(port_of(stack), looks)
    report.did("Graph answers 429 with Retry-After: 1 once, then with Retry-After: 60")
    report.saw("once, a second", soon)
    report.saw("a minute", late)
    report.promise("a second is waited for", held=soon.all_are("200"), seen=soon.counts)
    report.promise(
        "a minute is passed on at once",
        held=late.number("resource-unavailable") == late.total and max(late.took) < 2,
        seen=f"{late.counts}, {max(late.took):.1f} s",
    )
    report.promise("nobody is signed out", held=not late.signed_out, seen=late.signed_out)
    report.told(f"well again after {healed:.1f} s")


ROWS: Final = (
    Row("L10", "Graph hangs", graph_hangs),
    Row("R17", "Graph throttles", graph_throttles),
)
