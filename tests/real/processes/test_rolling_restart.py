"""Two gateways with two workers each behind a balancer that asks for readiness, restarted one after the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from tests.real.processes.running import Running, start
from tests.stage.balancer import balancing
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

GET: Final = b"GET /api/session HTTP/1.1\r\nHost: localhost\r\nX-CSRF: 1\r\n\r\n"
# Longer than the balancer takes to notice on a busy computer.
DELAY: Final = {"GATEWAY_SHUTDOWN_DELAY_SECONDS": "3", "GATEWAY_WORKERS": "2", "GATEWAY_LOG_LEVEL": "WARNING"}


async def ask_until(enough: asyncio.Event, port: int, told: Counter[str], most: int) -> None:
    """Ask again and again, up to `most` times on one connection, and count how it went."""
    while not enough.is_set():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for _ in range(most):
                writer.write(GET)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
                (length,) = [
                    int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")
                ]
                await reader.readexactly(length)
                told[head[9:12].decode()] += 1
                if b"Connection: close" in head or enough.is_set():
                    break
                await pause(enough)
        except (OSError, EOFError) as error:
            told[type(error).__name__] += 1
        finally:
            writer.close()
        await pause(enough)


async def pause(enough: asyncio.Event) -> None:
    """Wait as long as somebody does who asks twenty times a second; without it the crowd alone fills every core."""
    with suppress(TimeoutError):
        await asyncio.wait_for(enough.wait(), 0.05)


@asynccontextmanager
async def asked(port: int, told: Counter[str]) -> AsyncIterator[None]:
    """Let four people ask by new connections and four by kept ones while the block runs, and then a thousand times."""
    enough = asyncio.Event()
    people = [
        asyncio.create_task(ask_until(enough, port, told, most)) for most in (1, 1, 1, 1, 50, 50, 50, 50)
    ]
    try:
        yield
        async with asyncio.timeout(PATIENCE):
            while told.total() < 1_000:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    finally:
        enough.set()
        await asyncio.gather(*people)


async def test_L7_of_a_thousand_requests_none_fails_while_two_gateways_restart_in_turn(
    tmp_path: Path, valkey: str
) -> None:
    ports, told = [free_port(), free_port()], Counter[str]()
    given = {**DELAY, "GATEWAY_REDIS_URL": valkey}
    with ExitStack() as ending:

        def begin(port: int) -> Running:
            one = start("gateway", tmp_path, given, port=port)
            ending.callback(one.ended)
            ending.callback(one.process.kill)
            return one

        gateways = {port: begin(port) for port in ports}
        async with balancing(ports) as (balancer, front):
            for port in ports:
                await balancer.until(port, ready=True)
            async with asked(front, told):
                for port in ports:
                    gateways[port].process.terminate()
                    await balancer.until(port, ready=False)
                    assert await asyncio.to_thread(gateways[port].ended) == 0
                    gateways[port] = begin(port)
                    await balancer.until(port, ready=True)

    assert dict(told) == {"200": told.total()}
    assert told.total() >= 1_000
