"""What pages cost that listen and hear nothing: the gateway's computing time with many event streams open.

Each of some people signs in and opens four streams, as many as a session may have. Prints the share of a core that
the gateway's process takes, at rest and with the streams, and how long an end takes to be heard.

    python -m benchmarks.bench_event_streams [--streams 1000] [--seconds 60] [--away 30]
"""

import argparse
import asyncio
import os
import signal
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


def resident(pid: int) -> float:
    """Return how many MB a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise AssertionError(pid)


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


async def asked(session: aiohttp.ClientSession, url: str, person: Person, seconds: float) -> str:
    """Ask for the person's session ten times a second; return how long answers took, and how many were good."""
    waits: list[float] = []
    good = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        async with session.get(url, headers=headers_of(person)) as answer:
            await answer.read()
            good += answer.status == 200
        waits.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(0.1)
    waits.sort()
    return f"{good} of {len(waits)} good, median {waits[len(waits) // 2]:.0f} ms, longest {waits[-1]:.0f} ms"


async def without_redis(stack: Stack, session: aiohttp.ClientSession, person: Person, seconds: float) -> None:
    """Let Redis stand still for a while under the streams, and tell what others notice then and afterwards."""
    gateway, redis = stack.parts["gateway"].child.pid, stack.parts["valkey"].child.pid
    assert gateway is not None
    assert redis is not None
    url = f"{stack.gateway_url}/api/session"
    print(f"with Redis: {await asked(session, url, person, 5)}")
    os.kill(redis, signal.SIGSTOP)
    try:
        print(f"without Redis: {await share(gateway, seconds):.2f} % of a core")
    finally:
        os.kill(redis, signal.SIGCONT)
    computed, began = computing(gateway), time.monotonic()
    noticed = await asked(session, url, person, 10)
    busy = 100 * (computing(gateway) - computed) / (time.monotonic() - began)
    print(f"the ten seconds after it came back: {busy:.1f} % of a core; {noticed}")


async def measure(stack: Stack, streams: int, seconds: float, away: float) -> None:
    """Open the streams, watch, let Redis stand still for `away` seconds, and end all sessions."""
    pid = stack.parts["gateway"].child.pid
    assert pid is not None
    async with AsyncExitStack() as closing:
        print(f"at rest: {await share(pid, min(10, seconds)):.2f} % of a core")
        reading: list[asyncio.Task[float]] = []
        people = await signed_in(stack, streams // OF_SESSION)
        connector = aiohttp.TCPConnector(limit=0)
        session = await closing.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=FOR_EVER)
        )
        before, computed = resident(pid), computing(pid)
        for person in people:
            for _ in range(OF_SESSION):
                answer = await closing.enter_async_context(
                    session.get(stack.gateway_url + PATH, headers=headers_of(person))
                )
                assert answer.status == 200, (len(reading), await answer.text())
                reading.append(asyncio.create_task(drain(answer)))
        opened = computing(pid) - computed
        await asyncio.sleep(5)
        print(
            f"{len(reading)} opened: {opened / len(reading) * 1000:.2f} ms and "
            f"{(resident(pid) - before) / len(reading) * 1000:.0f} kB each"
        )
        print(f"{len(reading)} streams: {await share(pid, seconds):.2f} % of a core")
        if away:
            await without_redis(stack, session, people[0], away)
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
    parser.add_argument("--away", type=float, default=0, help="seconds for which Redis stands still")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    arguments = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in arguments.setting)
    with product(**settings) as stack:
        asyncio.run(measure(stack, arguments.streams, arguments.seconds, arguments.away))


if __name__ == "__main__":
    main()
