"""The authority is slow, throttles, fails or is away.

Owns rows L6, L9, R11, R14 and R16. The local tenant fails on order; nothing of ours does.
"""

import asyncio
from typing import Final

from benchmarks.game_day.load_client import (
    ask_by_new_connections,
    ask_once_each,
    request,
    seconds_until_all_well,
)
from benchmarks.game_day.part_of_stack import another_gateway
from benchmarks.game_day.people import IN, PROFILE, Tenant, arrives, asking, host_of, port_of, signed_in
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import percentile
from benchmarks.running import product
from devstack.stack import Stack

_REFRESH: Final = "token.refresh_token"
_SHORT: Final = 3
AT_EXPIRY: Final = 200
_SIGN_IN: Final = "/auth/sign-in"


async def slow_refreshes(report: Report, size: Size) -> None:
    """Let twelve refreshes hang, and fifteen people begin to sign in."""
    with product() as stack:
        async with Tenant.of(stack) as tenant:
            await tenant.turn(access_token_seconds=_SHORT)
            people = await signed_in(stack, size.of(12))
            await tenant.fault(_REFRESH, delay_ms=8000)
            await asyncio.sleep(_SHORT)
            waiting = asyncio.create_task(
                ask_once_each(port_of(stack), asking(stack, people, PROFILE), patience=15)
            )
            await asyncio.sleep(1)
            starts = await ask_once_each(port_of(stack), [_start(stack)] * size.of(15), patience=10)
            report.did(f"{len(people)} refreshes take 8 s, and {starts.total} people begin to sign in")
            report.saw("who begins to sign in", starts)
            report.promise(
                "beginning a sign-in waits for nobody",
                held=starts.all_are("303") and max(starts.took) < 2,
                seen=f"{starts.number('303')} led on, the slowest after {percentile(starts.took, 1):.1f} s",
            )
            await tenant.turn(access_token_seconds=3600)
            arrived = await arrives(stack)
            report.promise("a sign-in comes to its end beside them", held=arrived == IN, seen=arrived)
            report.saw("whose refresh was slow", await waiting)


async def everybody_at_expiry(report: Report, size: Size) -> None:
    """Let 200 tokens end at the same time, and the token endpoint takes 300 ms: as 1,000 people in 15 s."""
    count = size.of(AT_EXPIRY)
    with product() as stack:
        async with Tenant.of(stack) as tenant:
            await tenant.turn(access_token_seconds=1)
            people = await signed_in(stack, count)
            await tenant.turn(access_token_seconds=3600)
            await tenant.fault(_REFRESH, delay_ms=300)
            await tenant.forget_requests()
            await asyncio.sleep(1)
            told = await ask_once_each(port_of(stack), asking(stack, people, PROFILE), patience=20)
            asked = await tenant.asked(_REFRESH)
            again = await ask_once_each(port_of(stack), asking(stack, people, PROFILE), patience=20)
    bound = max(3.0, 15 * count / 1000)
    report.did(f"{count} people whose token has ended look at their profile; a token request takes 300 ms")
    report.saw("at once", told)
    report.saw("again", again)
    report.promise(
        f"everybody is served within {bound:.1f} s",
        held=told.all_are("200") and max(told.took) <= bound,
        seen=f"{told.number('200')} served, the last after {percentile(told.took, 1):.1f} s",
    )
    report.promise("one token request each", held=asked == count, seen=asked)
    report.promise(
        "our own congestion is not remembered as the authority's",
        held=again.all_are("200"),
        seen=again.counts,
    )


async def one_throttled_refresh(report: Report, size: Size) -> None:
    """Let the authority answer 429 to one session's refresh, for a minute."""
    with product() as stack:
        async with Tenant.of(stack) as tenant:
            await tenant.turn(access_token_seconds=_SHORT)
            one, *others = await signed_in(stack, size.of(10))
            await asyncio.sleep(_SHORT)
            await tenant.fault(_REFRESH, status=429, retry_after=61, times=1)
            told = await ask_once_each(port_of(stack), asking(stack, [one], PROFILE), patience=12)
            arrived = await arrives(stack)
            rest = await ask_once_each(port_of(stack), asking(stack, others, PROFILE), patience=12)
    report.did("429 with Retry-After: 61 to one refresh; then others sign in, and refresh")
    report.saw("the one", told)
    report.saw("the others", rest)
    report.promise("others sign in", held=arrived == IN, seen=arrived)
    report.promise("others' tokens are refreshed", held=rest.all_are("200"), seen=rest.counts)
    report.promise(
        "nobody is signed out",
        held=not told.signed_out + rest.signed_out,
        seen=told.signed_out + rest.signed_out,
    )


async def burst_at_expiry(report: Report, size: Size) -> None:
    """Let one session's token end, and ask two gateways fifty times each at the same moment."""
    with product() as stack, another_gateway(stack) as other:
        async with Tenant.of(stack) as tenant:
            await tenant.turn(access_token_seconds=2)
            people = await signed_in(stack, 2)
            await tenant.turn(access_token_seconds=3600)
            await tenant.forget_requests()
            await asyncio.sleep(2)
            looks = asking(stack, people[:1], PROFILE) * size.of(50)
            here, there = await asyncio.gather(
                *(ask_once_each(port, looks, patience=12) for port in (port_of(stack), other.port))
            )
            asked = await tenant.asked(_REFRESH)
    report.did(f"{len(looks)} requests of one session at each of two gateways when its token has ended")
    report.saw("one gateway", here)
    report.saw("the other", there)
    report.promise(
        "everybody is served",
        held=here.all_are("200") and there.all_are("200"),
        seen=f"{here.number('200') + there.number('200')}",
    )
    report.promise("it is refreshed once", held=asked == 1, seen=asked)


async def authority_away(report: Report, size: Size) -> None:
    """Let the authority hang, fail and throttle, while people have living tokens, and some have none."""
    with product() as stack:
        async with Tenant.of(stack) as tenant:
            living = await signed_in(stack, size.of(10))
            await tenant.turn(access_token_seconds=2)
            ended = await signed_in(stack, size.of(10))
            await asyncio.sleep(2)
            for what, fault in (
                ("hangs", {"delay_ms": 30_000}),
                ("answers 500", {"status": 500}),
                ("answers with HTML", {"status": 200, "body": "html"}),
                ("throttles", {"status": 429, "retry_after": 3}),
            ):
                await tenant.fault(_REFRESH, **fault)
                waiting = asyncio.create_task(
                    ask_once_each(port_of(stack), asking(stack, ended, PROFILE), patience=16)
                )
                told = await ask_by_new_connections(
                    port_of(stack), asking(stack, living, PROFILE), every=0.05, seconds=2
                )
                without = await waiting
                report.did(f"the token endpoint {what}")
                report.saw(f"it {what}: with a living token", told)
                report.saw(f"it {what}: without one", without)
                report.promise(f"it {what}: a living token works", held=told.all_are("200"), seen=told.counts)
                report.promise(
                    f"it {what}: nobody is signed out", held=not without.signed_out, seen=without.signed_out
                )
            await tenant.turn(access_token_seconds=3600)
            await tenant.heal()
            healed = await seconds_until_all_well(port_of(stack), asking(stack, ended, PROFILE))
    report.promise(
        "everybody is served again within 10 s, without a new sign-in",
        held=healed < 10,
        seen=f"{healed:.1f} s",
    )


async def started_without_the_authority(report: Report, size: Size) -> None:
    """Take metadata and keys away when the gateway starts anew, and people go on."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        async with Tenant.of(stack) as tenant:
            for point in ("discovery", "keys"):
                await tenant.fault(point, status=503)
            await asyncio.to_thread(stack.restart, "gateway")
            told = await ask_once_each(port_of(stack), asking(stack, people, PROFILE), patience=10)
            arrived = await arrives(stack)
    report.did("the gateway starts anew while the authority's metadata and keys are gone")
    report.saw("people", told)
    report.promise("people go on", held=told.all_are("200"), seen=told.counts)
    report.promise("and sign in", held=arrived == IN, seen=arrived)


def _start(stack: Stack) -> bytes:
    return request(host_of(stack), "", f"{_SIGN_IN}?return_to=/edit")


ROWS: Final = (
    Row("L6", "twelve refreshes are slow, and people begin to sign in", slow_refreshes),
    Row("L6b", "hundreds of tokens end at the same moment", everybody_at_expiry),
    Row("L9", "one session's refresh is throttled for a minute", one_throttled_refresh),
    Row("R11", "a burst meets the end of a token, at two gateways", burst_at_expiry),
    Row("R14", "the token endpoint hangs, fails, makes no sense, throttles", authority_away),
    Row("R16", "a start without the authority's metadata and keys", started_without_the_authority),
)
