"""Clocks that differ: a gateway's, the authority's, the resource API's.

Owns rows L2 to L4. A clock is set for one process alone; time itself goes on as ever.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.game_day.load_client import ask_once_each
from benchmarks.game_day.part_of_stack import another_gateway, change_part, with_clock
from benchmarks.game_day.people import (
    PROFILE,
    SESSION,
    STEP_UP,
    Tenant,
    ada_signed_in,
    asking,
    port_of,
    signed_in,
)
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import Tally
from benchmarks.running import product
from devstack.stack import Stack

_IDLE: Final = 1_900
_DAY: Final = 30_000
_TOKEN_SECONDS: Final = 2


async def a_gateway_ahead(report: Report, size: Size) -> None:
    """Let people pass a gateway whose clock is wrong, and come back to one that is right."""
    with product() as stack:
        for clock in (_IDLE, _DAY, -_IDLE):
            people = await signed_in(stack, size.of(10))
            asked = asking(stack, people, SESSION)
            report.did(f"{len(people)} people pass a second gateway, {clock:+d} s")
            with another_gateway(stack, clock=clock) as other:
                there = await ask_once_each(other.port, asked, patience=5)
                report.saw(f"at the gateway of {clock:+d} s", there)
            back = await ask_once_each(port_of(stack), asked, patience=5)
            report.saw("back at the right one", back)
            report.promise(
                f"{clock:+d} s is nothing to people there",
                held=there.all_are("200") and not there.signed_out,
                seen=f"{there.signed_out} signed out",
            )
            report.promise(
                f"{clock:+d} s destroys no session",
                held=back.signed_out == 0 and back.all_are("200"),
                seen=f"{back.signed_out} signed out",
            )


async def the_authority_ahead(report: Report, size: Size) -> None:
    """Refresh tokens at an authority whose clock is wrong, and put it right again."""
    with product() as stack:
        async with Tenant.of(stack) as tenant:
            await tenant.turn(access_token_seconds=_TOKEN_SECONDS)
            for offset in (180, 3_600, -7_200):
                people = await signed_in(stack, size.of(5))
                await asyncio.sleep(_TOKEN_SECONDS)
                await tenant.turn(clock_offset_seconds=offset)
                asked = asking(stack, people, PROFILE)
                during = await ask_once_each(port_of(stack), asked, patience=12)
                await tenant.turn(clock_offset_seconds=0)
                report.did(
                    f"{len(people)} tokens have ended, and the authority's clock is {offset:+d} s away"
                )
                report.saw("meanwhile", during)
                after = await _until_served(stack, asked)
                report.saw("after its clock was put right", after)
                report.promise(
                    f"{offset:+d} s ends no session",
                    held=during.signed_out + after.signed_out == 0 and after.all_are("200"),
                    seen=f"{during.signed_out} signed out meanwhile, {after.signed_out} afterwards",
                )
        log = stack.log("gateway")
        report.promise("the log names clocks", held="clock" in log, seen="clock" in log)


async def two_leeways(report: Report, size: Size) -> None:  # noqa: ARG001 - one person is enough
    """Sign in, confirm and save while clocks are 75 to 110 s apart."""
    with product() as stack, TemporaryDirectory() as folder:
        async with Tenant.of(stack) as tenant:
            for offset in (75, 110, -75):
                await tenant.turn(clock_offset_seconds=offset)
                await _edits(report, stack, tenant, f"the authority's clock is {offset:+d} s away")
            await tenant.turn(clock_offset_seconds=0)
            for clock in (-100, 100):
                usual = stack.parts["api"].child.program
                await asyncio.to_thread(change_part, stack, "api", with_clock(usual, clock, Path(folder)))
                await _edits(report, stack, tenant, f"the resource API's clock is {clock:+d} s away")
                await asyncio.to_thread(change_part, stack, "api", usual)


async def _edits(report: Report, stack: Stack, tenant: Tenant, when: str) -> None:
    city = f"City of {when}"[:60]
    async with ada_signed_in(stack) as ada:
        arrived = await ada.step_up(STEP_UP)
        saved = await ada.call("PATCH", PROFILE, {"city": city})
    report.did(f"one person signs in, confirms and saves while {when}")
    report.told(f"arrived at {arrived}, then {saved.status} {saved.text[:90]}")
    is_there = (await tenant.held())["city"] == city
    report.promise(f"it is saved while {when}", held=saved.status == 200 and is_there, seen=saved.status)


async def _until_served(stack: Stack, asked: list[bytes], attempts: int = 8) -> Tally:
    """Ask until everybody is answered 200, a second apart, or somebody is signed out; return the last answers."""
    told = Tally()
    for _ in range(attempts):
        told = await ask_once_each(port_of(stack), asked, patience=12)
        if told.all_are("200") or told.signed_out:
            break
        await asyncio.sleep(1)
    return told


ROWS: Final = (
    Row("L2", "a gateway's clock is wrong", a_gateway_ahead),
    Row("L3", "the authority's clock is wrong while tokens are refreshed", the_authority_ahead),
    Row("L4", "clocks are a minute or two apart", two_leeways),
)
