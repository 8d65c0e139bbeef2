"""What one exchange with an upstream costs on a warm connection, beside what the network alone costs.

Asks a server in a process of its own, which answers each read with the same 200 bytes, by 32 callers at once: as the
least that a client in Python can do (one write, aiohttp's parser, one future), as a row is answered (`open`), and as
Graph is read (`send`).

    python -m benchmarks.bench_outbound [--times 500]
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

from aiohttp.http import HttpResponseParser

from servicekit.event_loop import run
from servicekit.outbound import outbound
from servicekit.upstream import Upstream

CALLERS: Final = 32
FIELDS: Final = {"Accept": "application/json", "Authorization": f"Bearer {'x' * 900}"}
HEAD: Final = "".join(f"{name}: {value}\r\n" for name, value in FIELDS.items())
SERVER: Final = """
import asyncio
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 200\\r\\n\\r\\n" + b"x" * 200
class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class Least(asyncio.Protocol):
    """A client that knows no faults."""

    connected = True

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - aiohttp's own form
        """Go on."""

    def data_received(self, data: bytes) -> None:
        """Read the answer, which came in one piece."""
        ((_, body),), _, _ = self._parser.feed_data(data)
        self._answer.set_result(body.read_nowait(-1))

    async def ask(self) -> None:
        """Make one exchange."""
        self._parser = HttpResponseParser(self, self._loop, 65_536, read_until_eof=True)  # type: ignore[arg-type]
        self._answer: asyncio.Future[bytes] = self._loop.create_future()
        assert self._transport
        self._transport.write(f"GET / HTTP/1.1\r\nHost: a\r\n{HEAD}\r\n".encode())
        await self._answer


async def microseconds(ask: list[Callable[[], Awaitable[object]]], times: int) -> float:
    """Return the computing time of one exchange, each caller making `times` after some that do not count."""

    async def call(one: Callable[[], Awaitable[object]], number: int) -> None:
        for _ in range(number):
            await one()

    await asyncio.gather(*(call(one, 20) for one in ask))
    begun = time.process_time()
    await asyncio.gather(*(call(one, times) for one in ask))
    return (time.process_time() - begun) / times / len(ask) * 1e6


async def measure(port: int, times: int) -> None:
    """Measure the three, and tell."""
    url, loop = f"http://127.0.0.1:{port}/", asyncio.get_running_loop()
    least = [(await loop.create_connection(Least, "127.0.0.1", port))[1] for _ in range(CALLERS)]
    print(f"the least: {await microseconds([one.ask for one in least], times):.0f} µs")
    async with outbound() as network:
        way = network.to(Upstream("measured", call_seconds=30))

        async def opened() -> None:
            reply = await way.open("GET", url, fields=FIELDS.items(), head_seconds=30)
            assert len(await reply.whole(1000, 30)) == 200
            reply.close()

        async def sent() -> None:
            assert (await way.send("GET", url, headers=FIELDS)).status == 200

        for name, ask in (("open", opened), ("send", sent)):
            print(f"{name}: {await microseconds([ask] * CALLERS, times):.0f} µs")


def main() -> None:
    """Start the server, and measure beside it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=500)
    times = parser.parse_args().times
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own words
        assert server.stdout
        os.sched_setaffinity(server.pid, {cores[-1]})
        os.sched_setaffinity(0, {cores[0]})
        try:
            run(measure(int(server.stdout.readline()), times))
        finally:
            server.kill()


if __name__ == "__main__":
    main()
