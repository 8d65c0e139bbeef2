"""How soon people are served who all come back when their tokens have ended, and what others notice of it.

Each of them looks at their profile at the same moment, and a token request takes 300 ms; beside them others ask for
their session again and again, who have nothing to renew. Runs against the product as processes, and the others ask from
a process of their own: one that opens a thousand connections reads answers late, and would call that the product's.

    python -m benchmarks.bench_expiry [--people 1000] [--others 20]

A person is a connection: more than some 900 need `ulimit -n` above 1,024.
"""

import argparse
import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from benchmarks.game_day.load_client import ask_again_and_again, ask_once_each
from benchmarks.game_day.people import PROFILE, SESSION, Tenant, asking, port_of, signed_in
from benchmarks.game_day.report import Report
from benchmarks.game_day.tally import Tally, percentile
from benchmarks.running import product

_REFRESH = "token.refresh_token"
_PAUSE = 0.05
_BEFORE = 10
"""Seconds in which others ask while nothing happens."""
_CONNECTED = 1.5
"""Seconds in which they connect and warm up, before anything counts."""


async def people_at_expiry(people: int = 1000, others: int = 20) -> Report:
    """Let so many tokens end at once, and return what their people saw, and others."""
    report = Report("L6b", f"{people} tokens end at the same moment, beside {others} others")
    # Spawned: a fork would take the event loop along.
    context = multiprocessing.get_context("spawn")
    with product() as stack, ProcessPoolExecutor(1, mp_context=context) as pool:
        async with Tenant.of(stack) as tenant:
            await tenant.turn(access_token_seconds=1)
            returning = asking(stack, await signed_in(stack, people), PROFILE)
            await tenant.turn(access_token_seconds=3600)
            beside = asking(stack, await signed_in(stack, others), SESSION)
            await tenant.fault(_REFRESH, delay_ms=300)

            async def watched(seconds: float) -> tuple[float, float]:
                tally = await asyncio.get_running_loop().run_in_executor(
                    pool, _ask_beside, port_of(stack), beside, seconds
                )
                assert tally.all_are("200"), tally
                return percentile(tally.took, 0.99), percentile(tally.took, 1)

            before, longest_before = await watched(_BEFORE)
            await tenant.forget_requests()
            beside_them = asyncio.create_task(watched(3 + people / 250))
            await asyncio.sleep(_CONNECTED)
            told = await ask_once_each(port_of(stack), returning, patience=20)
            during, longest = await beside_them
            asked = await tenant.asked(_REFRESH)
    report.did(f"{people} people whose token has ended look at their profile; a token request takes 300 ms")
    report.saw("who has to wait for a token", told)
    report.promise("everybody is served", held=told.all_are("200"), seen=told.counts)
    report.promise("one token request each", held=asked == people, seen=asked)
    report.promise(
        "others wait no longer than twice their own 99th percentile of before",
        held=during <= 2 * before,
        seen=f"p99 {during * 1000:.0f} ms, longest {longest * 1000:.0f}; before {before * 1000:.0f} ms,"
        f" longest {longest_before * 1000:.0f}",
    )
    return report


def _ask_beside(port: int, asked: list[bytes], seconds: float) -> Tally:
    """Ask for each of these again and again; return what was told."""
    return asyncio.run(
        ask_again_and_again(
            port, asked, connections=len(asked), seconds=seconds, pause=_PAUSE, uncounted=_CONNECTED
        )
    )


def main() -> None:
    """Measure as the command line asks, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--others", type=int, default=20)
    arguments = parser.parse_args()
    print(asyncio.run(people_at_expiry(arguments.people, arguments.others)).drawn())


if __name__ == "__main__":
    main()
