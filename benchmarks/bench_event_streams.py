"""What pages cost that listen and hear nothing: the gateway's computing time with many event streams open.

Each of some people signs in and opens four streams, as many as a session may have. Prints the share of a core that
the gateway's process takes, at rest and with the streams, and how long an end takes to be heard.

    python -m benchmarks.bench_event_streams [--streams 1000] [--seconds 60]
"""

import argparse
import asyncio
import os
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from benchmarks.game_day.people import Person, signed_in
from benchmarks.running import product
from devstack.stack import Stack

OF_SESSION = 4
FOR_EVER = aiohttp.ClientTimeout()
PATH = "/api/session/events"
TICKS = os.sysconf("SC_CLK_TCK")


def computing(pid: int) -> float:
    """Return the seconds of computing of a process until now."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def share(pid: int, seconds: float) -> float:
    """Return which share of a core a process takes, in percent."""
    computed, began = computing(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (computing(pid) - computed) / (time.monotonic() - began)


def headers_of(person: Person) -> dict[str, str]:
    """Return what a browser of the person sends."""
    return {"Cookie": person.cookie, "X-CSRF": "1"}


async def drain(answer: aiohttp.ClientResponse) -> float:
    """Read a stream to its end; return when an end was told."""
    told = 0.0
    async for line in answer.content:
        if line.startswith(b"event: session-ended"):
            told = time.monotonic()
    return told


async def measure(stack: Stack, streams: int, seconds: float) -> None:
    """Open the streams, watch, and end all sessions."""
    pid = stack.parts["gateway"].child.pid
    assert pid is not None
    async with AsyncExitStack() as closing:
        print(f"at rest: {await share(pid, min(10, seconds)):.2f} % of a core")
        reading: list[asyncio.Task[float]] = []
        people = await signed_in(stack, streams // OF_SESSION)
        session = await closing.enter_async_context(aiohttp.ClientSession(timeout=FOR_EVER))
        for person in people:
            for _ in range(OF_SESSION):
                answer = await closing.enter_async_context(
                    session.get(stack.gateway_url + PATH, headers=headers_of(person))
                )
                assert answer.status == 200, (len(reading), await answer.text())
                reading.append(asyncio.create_task(drain(answer)))
        await asyncio.sleep(5)
        print(f"{len(reading)} streams: {await share(pid, seconds):.2f} % of a core")
        began = time.monotonic()
        for person in people:
            async with session.post(
                stack.gateway_url + "/auth/sign-out", headers=headers_of(person)
            ) as answer:
                assert answer.status == 200, await answer.text()
        done, _ = await asyncio.wait(reading, timeout=30)
        waits = sorted(task.result() - began for task in done if task.result())
        if waits:
            print(
                f"{len(waits)} heard the end: median {waits[len(waits) // 2]:.2f} s, last {waits[-1]:.2f} s"
            )
        for task in reading:
            task.cancel()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    arguments = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in arguments.setting)
    with product(**settings) as stack:
        asyncio.run(measure(stack, arguments.streams, arguments.seconds))


if __name__ == "__main__":
    main()
