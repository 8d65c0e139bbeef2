"""How much memory a gateway takes while large bodies pass through it, up and down, and how fast they pass.

Sends bodies of `--megabytes` to an upstream in this program, and takes such answers from it, by `--at-once`
connections; then the same while the upstream, or the reader, takes a piece only now and then.

    python -m benchmarks.bench_large_bodies [--megabytes 200] [--at-once 4]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from benchmarks.running import product
from devstack.stack import Stack

MEGABYTE: Final = 1_000_000
PIECE: Final = bytes(65_536)
HEADERS: Final = {"X-CSRF": "1"}
FOR_EVER: Final = aiohttp.ClientTimeout(total=None)
_SLOW_SECONDS: Final = 0.05
ROW: Final = """[[upstream]]
name = "large"
prefix = "/api/large"
target = "{target}"
methods = ["GET", "PUT"]
anonymous = true
max_body = 1000000000
"""


def resident(pid: int) -> float:
    """Return how much memory a process has, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


async def pieces(size: int) -> AsyncIterator[bytes]:
    """Yield a body of this size."""
    for _ in range(size // len(PIECE)):
        yield PIECE


async def take(request: web.Request) -> web.Response:
    """Read a body, slowly where that is asked for."""
    slow, came = "slow" in request.query, 0
    async for piece in request.content.iter_any():
        came += len(piece)
        if slow:
            await asyncio.sleep(_SLOW_SECONDS)
    return web.json_response(came)


async def give(request: web.Request) -> web.StreamResponse:
    """Answer with a large body."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    async for piece in pieces(int(request.query["size"])):
        await answer.write(piece)
    return answer


async def most_during(pid: int, work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return the most memory that the process had meanwhile, in MB, and how long the work took."""
    most, began = resident(pid), time.monotonic()
    task = asyncio.ensure_future(work())
    while not task.done():
        await asyncio.wait([task], timeout=0.05)
        most = max(most, resident(pid))
    await task
    return most, time.monotonic() - began


async def measure(stack: Stack, megabytes: int, at_once: int) -> None:
    """Measure and print."""
    pid = stack.parts["gateway"].child.pid
    assert pid is not None
    url, size = f"{stack.gateway_url}/api/large", megabytes * MEGABYTE
    async with aiohttp.ClientSession(timeout=FOR_EVER, headers=HEADERS) as session:

        async def up(size: int, query: str = "") -> None:
            async with session.put(url + query, data=pieces(size)) as answer:
                assert answer.status == 200, await answer.text()
                assert await answer.json() == size // len(PIECE) * len(PIECE)

        async def down(size: int, pause: float = 0) -> None:
            came = 0
            async with session.get(f"{url}?size={size}") as answer:
                async for piece in answer.content.iter_any():
                    came += len(piece)
                    if pause:
                        await asyncio.sleep(pause)
            assert came == size // len(PIECE) * len(PIECE)

        async def all_of(one: Callable[[], Awaitable[None]]) -> None:
            await asyncio.gather(*(one() for _ in range(at_once)))

        await all_of(lambda: up(MEGABYTE))
        await all_of(lambda: down(MEGABYTE))
        print(f"at rest: {resident(pid):.0f} MB")
        slow = size // 20
        for name, one, whole in (
            ("up", lambda: up(size), size),
            ("down", lambda: down(size), size),
            ("up to a slow upstream", lambda: up(slow, "?slow"), slow),
            ("down to a slow reader", lambda: down(slow, _SLOW_SECONDS), slow),
        ):
            most, took = await most_during(pid, lambda one=one: all_of(one))  # type: ignore[misc]  # bound at once
            rate = at_once * whole / MEGABYTE / took
            print(
                f"{name}: {at_once} of {whole // MEGABYTE} MB, {most:.0f} MB at most, {rate:.0f} MB a second"
            )


async def with_upstream(megabytes: int, at_once: int) -> None:
    """Serve the upstream, and run the product with a row that leads to it."""
    app = web.Application(client_max_size=2**40)
    app.router.add_put("/", take)
    app.router.add_get("/", give)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    target = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "upstreams.toml"
        rows.write_text(ROW.format(target=target), encoding="utf-8")
        with product(GATEWAY_UPSTREAMS=str(rows)) as stack:
            await measure(stack, megabytes, at_once)
    await runner.cleanup()


def main() -> None:
    """Read the options, measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4)
    arguments = parser.parse_args()
    asyncio.run(with_upstream(arguments.megabytes, arguments.at_once))


if __name__ == "__main__":
    main()
