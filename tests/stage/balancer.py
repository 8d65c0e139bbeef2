"""A load balancer that asks for readiness, as HAProxy does: connections go to who is ready, and none is tried twice.

Owns which gateway a connection goes to. Never reads what passes: a connection stays with its gateway until
either closes it, and a gateway that refuses one costs it.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from tests.stage.patience import PATIENCE

_EVERY_SECONDS: Final = 0.1
_CHECK: Final = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Balancer:
    """Knows the ports of the gateways behind it, and which of them are ready."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ready = dict.fromkeys(ports, False)
        self._turn = itertools.cycle(ports)
        self._changed = asyncio.Event()

    async def until(self, port: int, *, ready: bool) -> None:
        """Wait until a gateway is known to be ready, or not to be."""
        async with asyncio.timeout(PATIENCE):
            while self._ready[port] != ready:
                self._changed.clear()
                await self._changed.wait()

    async def watch(self, port: int) -> None:
        """Ask one gateway again and again."""
        while True:
            ready = await _is_ready(port)
            if self._ready[port] != ready:
                self._ready[port] = ready
                self._changed.set()
            await asyncio.sleep(_EVERY_SECONDS)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to the next gateway that is ready; none, or one that refuses, ends the connection."""
        with contextlib.suppress(OSError, StopIteration):
            port = next(one for one in itertools.islice(self._turn, len(self._ready)) if self._ready[one])
            there, onward = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copy(reader, onward), _copy(there, writer))
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(_CHECK)
        return (await reader.readline()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        writer.close()


@asynccontextmanager
async def balancing(ports: Sequence[int]) -> AsyncIterator[tuple[Balancer, int]]:
    """Balance between gateways while the block runs; give the balancer and its port."""
    balancer = Balancer(ports)
    watching = [asyncio.create_task(balancer.watch(port)) for port in ports]
    server = await asyncio.start_server(balancer.pass_on, "127.0.0.1", 0)
    try:
        yield balancer, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in watching:
            task.cancel()
        await asyncio.wait(watching)
