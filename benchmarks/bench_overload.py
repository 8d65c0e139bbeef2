"""More connections than the gateway can serve: what still succeeds, and what the others are told.

Compares the good answers a second at `--many` connections with those at `--few`, in turns, and counts the problems
that were answered. The load is made by wrk, whose connections come back at once, whatever they are told.

    python -m benchmarks.bench_overload [--few 50] [--many 2000] [--seconds 8] [--turns 2]
"""

import argparse
import asyncio
import re
import resource
import urllib.request
from collections import Counter
from dataclasses import dataclass

from benchmarks.running import product
from devstack.stack import Stack
from tests.stage.other_front_end import OtherFrontEnd

PATH = "/api/session"
_COUNTED = re.compile(r"^stepup_(requests|problems)_total\{(.+)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Load:
    """What came of one load: good answers a second, and how often each problem was told, by its slug."""

    connections: int
    good: float
    problems: Counter[str]
    summary: str


async def load(stack: Stack, cookie: str, connections: int, seconds: int) -> Load:
    """Let wrk ask for the session of `cookie` for some seconds; wrk must be installed."""
    before = await asyncio.to_thread(_counts, stack)
    process = await asyncio.create_subprocess_exec(
        *("wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s"),
        *("-H", f"Cookie: __Host-Http-session={cookie}", "-H", "X-CSRF: 1", stack.gateway_url + PATH),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    counted = await asyncio.to_thread(_counts, stack)
    counted.subtract(before)
    problems = {name: number for name, number in counted.items() if name != "good" and number}
    return Load(connections, counted["good"] / seconds, Counter(problems), printed.decode())


def _counts(stack: Stack) -> Counter[str]:
    """Return how many good answers and problems of each kind the gateway has counted."""
    with urllib.request.urlopen(f"{stack.admin_url}/metrics", timeout=10) as answer:  # noqa: S310 -- our own URL
        text = answer.read().decode()
    counts: Counter[str] = Counter()
    for what, labels, number in _COUNTED.findall(text):
        if what == "problems":
            counts[labels.partition('"')[2].rstrip('"')] += int(float(number))
        elif f'route="{PATH}"' in labels and 'status="200"' in labels:
            counts["good"] += int(float(number))
    return counts


async def measure(stack: Stack, few: int, many: int, seconds: int, turns: int) -> float:
    """Print what came of each load; return the good answers at `many` connections as a share of those at `few`."""
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as ada:
        await ada.sign_in()
        cookie = ada.cookie()
    good: Counter[int] = Counter()
    for _ in range(turns):
        for connections in (few, many):
            came = await load(stack, cookie, connections, seconds)
            good[connections] += round(came.good)
            print(f"{connections:5} connections: {came.good:7.0f} good a second, {dict(came.problems)}")
    share = good[many] / good[few]
    print(f"good answers at {many} connections, as a share of those at {few}: {share:.2f}")
    return share


def main() -> None:
    """Run the product, measure, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=50)
    parser.add_argument("--many", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--turns", type=int, default=2)
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for wrk and the gateway, which inherit it
    with product() as stack:
        asyncio.run(measure(stack, arguments.few, arguments.many, arguments.seconds, arguments.turns))


if __name__ == "__main__":
    main()
