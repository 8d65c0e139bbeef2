"""A day in minutes: people sign in, look, confirm, save and leave, with tokens that end within seconds.

Watches what must not grow: the gateway's resident memory, descriptors and threads, and Redis' connections and keys.
Prints the slope of each over the second half, when all caches are warm. What would be written as "exception was never
retrieved" is counted as well.

    python -m benchmarks.bench_soak [--minutes 5] [--people 8]
"""

import argparse
import asyncio
import itertools
import os
import secrets
import time
from collections import Counter
from pathlib import Path

import redis

from benchmarks.running import product, set_up_tenant
from devstack.stack import Stack
from tests.stage.other_front_end import OtherFrontEnd

TOKEN_SECONDS = 12
"""A token is renewed in the last fifth to tenth of its life: this one after ten seconds."""
SAMPLE_SECONDS = 2
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
PASSWORD = secrets.token_urlsafe(16)
PAGE = os.sysconf("SC_PAGE_SIZE")


def sample(stack: Stack, pid: int) -> dict[str, float]:
    """Return what the gateway and Redis hold at this moment."""
    process = Path(f"/proc/{pid}")
    with redis.Redis.from_url(stack.redis_url) as client:
        clients, keys = client.info("clients")["connected_clients"], client.dbsize()
    return {
        "resident MB": int((process / "statm").read_text().split()[1]) * PAGE / 1e6,
        "descriptors": len(list((process / "fd").iterdir())),
        "threads": len(list((process / "task").iterdir())),
        "Redis connections": clients - 1,
        "Redis keys": keys,
    }


async def live_a_day(stack: Stack, number: int, until: float, answers: Counter[int]) -> None:
    """Be one person, again and again with a new browser."""
    email = f"person-{number}@example.com"
    await add_person(stack, email)
    for _ in itertools.count():
        async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as ada:
            await ada.sign_in((email, PASSWORD))
            for turn in range(30):
                if time.monotonic() > until:
                    return
                answers[(await ada.call("GET", "/api/profile")).status] += 1
                if turn == 10:
                    await ada.step_up(STEP_UP, email)
                if turn > 10 and turn % 5 == 0:
                    saved = await ada.call("PATCH", "/api/profile", {"city": f"City {number} {turn}"})
                    answers[saved.status] += 1
                await asyncio.sleep(0.3)
            answers[(await ada.call("POST", "/auth/sign-out")).status] += 1


async def add_person(stack: Stack, email: str) -> None:
    """Let the tenant know somebody new: codes of one person would get in each other's way."""
    body = {"email": email, "password": PASSWORD, "profile": {"displayName": "Somebody"}}
    async with (
        OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as operator,
        operator.session.post(f"{stack.tenant_url}/admin/people", json=body) as answer,
    ):
        assert answer.status < 300, await answer.text()


def slope(points: list[tuple[float, float]]) -> float:
    """Return the growth per minute by least squares."""
    middle_time = sum(at for at, _ in points) / len(points)
    middle = sum(value for _, value in points) / len(points)
    spread = sum((at - middle_time) ** 2 for at, _ in points)
    return 60 * sum((at - middle_time) * (value - middle) for at, value in points) / spread


async def measure(stack: Stack, minutes: float, people: int) -> None:
    """Run, sample and print."""
    pid = stack.parts["gateway"].child.pid
    assert pid is not None
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as operator:
        await set_up_tenant(operator, stack, access_token_seconds=TOKEN_SECONDS)
    answers: Counter[int] = Counter()
    began = time.monotonic()
    until = began + minutes * 60
    days = [asyncio.create_task(live_a_day(stack, number, until, answers)) for number in range(people)]
    samples: list[tuple[float, dict[str, float]]] = []
    while time.monotonic() < until:
        await asyncio.sleep(SAMPLE_SECONDS)
        samples.append((time.monotonic() - began, await asyncio.to_thread(sample, stack, pid)))
    await asyncio.gather(*days)
    late = [one for one in samples if one[0] > minutes * 30]
    print(f"answers by status  {dict(answers)}")
    print(f"never retrieved    {stack.log('gateway').count('never retrieved')}")
    for name in samples[0][1]:
        points = [(at, values[name]) for at, values in late]
        print(f"{name:18} {points[0][1]:9.1f} → {points[-1][1]:9.1f}   {slope(points):+8.2f} a minute")


def main() -> None:
    """Run the product, measure, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--people", type=int, default=8)
    arguments = parser.parse_args()
    with product() as stack:
        asyncio.run(measure(stack, arguments.minutes, arguments.people))


if __name__ == "__main__":
    main()
