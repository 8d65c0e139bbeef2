"""A gateway behind other people's proxies is restarted beside another one: nobody reads 502 (L7, X4)."""

import asyncio
import ssl
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.real.processes.running import Running, start
from tests.stage.certificates import Flaw, server_context
from tests.stage.front_proxies import PROXIES, Place, program_of, proxied
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

GET: Final = b"GET /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-CSRF: 1\r\n\r\n"
POST: Final = (
    b"POST /api/parked-edits/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-CSRF: 1\r\nContent-Length: 2\r\n\r\n{}"
)
# Longer than the proxies of the page take to notice on a busy computer: they ask once a second.
DELAY: Final = {"GATEWAY_SHUTDOWN_DELAY_SECONDS": "3", "GATEWAY_LOG_LEVEL": "WARNING"}


async def ask(front: int, tls: ssl.SSLContext, enough: asyncio.Event, counted: Counter[str]) -> None:
    """Ask again and again, on connections that the proxy keeps, by methods that may be repeated and that may not."""
    while not enough.is_set():
        reader, writer = await asyncio.open_connection("127.0.0.1", front, ssl=tls)
        try:
            for request in (GET, POST) * 20:
                writer.write(request)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
                lines = head.lower().split(b"\r\n")
                (length,) = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
                await reader.readexactly(length)
                counted[head[9:12].decode()] += 1
                if b"connection: close" in lines or enough.is_set():
                    break
        finally:
            writer.transport.abort()


async def test_L7_X4_nobody_reads_502_while_a_gateway_behind_a_proxy_restarts(
    tmp_path: Path, valkey: str
) -> None:
    installed = [name for name in PROXIES if program_of(name)]
    if not installed:
        pytest.skip("no proxy is installed on this computer")
    ports, fronts = [free_port(), free_port()], [free_port() for _ in installed]
    given = {**DELAY, "GATEWAY_REDIS_URL": valkey, "GATEWAY_PUBLIC_URL": "https://127.0.0.1"}
    _, bundle = server_context(tmp_path, Flaw())
    tls = ssl.create_default_context(cafile=bundle)
    enough, counted = asyncio.Event(), {name: Counter[str]() for name in installed}
    with ExitStack() as ending:

        def begin(port: int) -> Running:
            one = start("gateway", tmp_path, given, port=port)
            ending.callback(one.ended)
            ending.callback(one.process.kill)
            return one

        first, second = (begin(port) for port in ports)
        for one in (first, second):
            await asyncio.to_thread(one.answers)
        for name, front in zip(installed, fronts, strict=True):
            folder = tmp_path / name
            folder.mkdir()
            place = Place(folder, tmp_path / "chain.pem", front, [f"127.0.0.1:{port}" for port in ports])
            ending.enter_context(proxied(name, place))
        people = [
            asyncio.create_task(ask(front, tls, enough, counted[name]))
            for name, front in zip(installed, fronts, strict=True)
            for _ in range(2)
        ]
        try:
            first.process.terminate()
            assert await asyncio.to_thread(first.ended) == 0
            await asyncio.to_thread(begin(ports[0]).answers)
            # And more answers by way of each proxy, which has noticed by then or tries the other one.
            seen = {name: each.total() for name, each in counted.items()}
            async with asyncio.timeout(PATIENCE):
                while any(counted[name].total() < seen[name] + 100 for name in installed):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
        finally:
            enough.set()
            await asyncio.gather(*people)

    assert {status for each in counted.values() for status in each} == {"200", "401"}, counted
