"""What signing in, confirming, refreshing and reading cost at the gateway, as multiples of an answer without work.

Everything runs as in local work: four processes, the local tenant among them. The unit is the median time of
`/health/live`, so that figures of two computers can be compared.

    python -m benchmarks.bench_sign_in [--times 40]
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.peers.cores import computing_seconds
from benchmarks.running import asked, forget_requests, milliseconds, product, set_up_tenant
from devstack.stack import Stack
from tests.stage.other_front_end import OtherFrontEnd

TOKEN_SECONDS = 2
IDLE_SECONDS = 10
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


async def measure(stack: Stack, times: int) -> None:
    """Measure and print."""
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as ada:

        async def live() -> None:
            assert (await ada.navigate("/health/live")).status == 200

        async def see(path: str = "/api/profile") -> None:
            assert (await ada.call("GET", path)).status == 200

        await ada.sign_in()
        unit = await milliseconds(live, times)
        figures = {
            "an answer without work": unit,
            "the session, from Redis": await milliseconds(lambda: see("/api/session"), times),
            "the profile, token at hand": await milliseconds(see, times),
            "leaving for sign-in": await milliseconds(lambda: ada.navigate("/auth/sign-in"), times),
            "the callback after sign-in": await callbacks(ada, "/auth/sign-in", times),
            "the callback after step-up": await callbacks(ada, STEP_UP, times),
        }
        await set_up_tenant(ada, stack, access_token_seconds=TOKEN_SECONDS)
        await ada.sign_in()
        await forget_requests(ada, stack)
        pid = stack.parts["gateway"].child.pid or 0
        before, began = computing_seconds(pid), time.monotonic()
        await asyncio.sleep(IDLE_SECONDS)
        idle = (computing_seconds(pid) - before) / (time.monotonic() - began)
        before, began = computing_seconds(pid), time.monotonic()
        figures["the profile, token renewed"] = await after_tokens_ended(see, times // 2)
        computed = computing_seconds(pid) - before - idle * (time.monotonic() - began)
        assert await asked(ada, stack, "token.refresh_token") >= times // 2, "each time anew"
        for name, value in figures.items():
            print(f"{name:28} {value / unit:6.1f}")
        print(f"computing of a profile with its token renewed, ms: {computed / (times // 2) * 1000:.1f}")


async def after_tokens_ended(see: Callable[[], Awaitable[None]], times: int) -> float:
    """Return the median time of a look at the profile that has to wait for a token."""
    took: list[float] = []
    for _ in range(times):
        await asyncio.sleep(TOKEN_SECONDS)
        began = time.perf_counter()
        await see()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[len(took) // 2]


async def callbacks(ada: OtherFrontEnd, path: str, times: int) -> float:
    """Return the median time of the callback alone."""
    took: list[float] = []
    for _ in range(times):
        page = await ada.leave(path)
        if "code" in page.form.inputs and "state" not in page.form.inputs:
            page = await ada.visitor.submit(page, code=await ada.visitor.newest_code("ada@example.com"))
        began = time.perf_counter()
        await ada.come_back(page)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[len(took) // 2]


def main() -> None:
    """Run the product, measure, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    times = parser.parse_args().times
    with product() as stack:
        asyncio.run(measure(stack, times))


if __name__ == "__main__":
    main()
