"""What open WebSockets cost: computing time and memory of the gateway with many of them, and how soon an end is heard.

Some people sign in, and each opens as many sockets as a session may have, to an upstream of this program that echoes.
Prints what the gateway's process takes at rest, with the sockets silent (pings included), and while each of them sends
a message a second; how long a message takes there and back; and when everybody hears that their session ended.

    python -m benchmarks.bench_websockets [--sockets 1000] [--seconds 30]
"""

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from benchmarks.bench_event_streams import headers_of, resident, share
from benchmarks.game_day.people import Person, signed_in
from benchmarks.running import product
from devstack.stack import Stack
from tests.stage.ports import free_port
from tests.stage.socket_upstream import SocketUpstream
from tests.stage.world import served

OF_SESSION = 20
ROW = '[[upstream]]\nname = "chat"\nprefix = "/api/chat"\ntarget = "http://127.0.0.1:{}"\nwebsocket = true\n'

Socket = aiohttp.ClientWebSocketResponse[Any]


async def ended(socket: Socket) -> float:
    """Return when the end of the session was told; answers pings until then."""
    while True:
        message: Any = await socket.receive()
        if message.type is aiohttp.WSMsgType.CLOSE:
            assert message.data == 3000, message
            return time.monotonic()
        assert message.type is aiohttp.WSMsgType.TEXT, message


async def chatter(socket: Socket, until: float, waits: list[float]) -> None:
    """Send a message a second, and note how long each takes there and back."""
    while time.monotonic() < until:
        began = time.monotonic()
        await socket.send_str("x" * 100)
        await socket.receive_str()
        waits.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, 1 - waits[-1]))


async def measure(stack: Stack, port: int, sockets: int, seconds: float) -> None:
    """Open the sockets, watch, and end all sessions."""
    pid = stack.parts["gateway"].child.pid
    assert pid is not None
    async with AsyncExitStack() as closing:
        await closing.enter_async_context(served(SocketUpstream().app(), port))
        people: list[Person] = await signed_in(stack, sockets // OF_SESSION)
        print(f"at rest: {await share(pid, 5):.2f} % of a core, {resident(pid):.0f} MB")
        browser = await closing.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        opened: list[Socket] = []
        began = time.monotonic()
        for person in people:
            opened += [
                await browser.ws_connect(
                    f"{stack.gateway_url}/api/chat/echo",
                    headers={"Cookie": headers_of(person)["Cookie"]},
                    origin=stack.gateway_url,
                    autoclose=False,
                )
                for _ in range(OF_SESSION)
            ]
        print(f"{len(opened)} opened in {time.monotonic() - began:.1f} s, {resident(pid):.0f} MB")
        listening = [asyncio.create_task(socket.receive()) for socket in opened]
        print(f"silent: {await share(pid, seconds):.2f} % of a core")
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        waits: list[float] = []
        until = time.monotonic() + seconds
        talking = asyncio.gather(*(chatter(socket, until, waits) for socket in opened))
        busy = await share(pid, seconds - 2)
        await talking
        waits.sort()
        print(
            f"a message a second each: {busy:.0f} % of a core; there and back {waits[len(waits) // 2] * 1000:.1f} ms"
        )
        reading = [asyncio.create_task(ended(socket)) for socket in opened]
        began = time.monotonic()
        for person in people:
            async with browser.post(
                stack.gateway_url + "/auth/sign-out", headers=headers_of(person)
            ) as answer:
                assert answer.status == 200, await answer.text()
        done = sorted(await asyncio.gather(*reading))
        print(
            f"{len(done)} heard the end: median {done[len(done) // 2] - began:.2f} s, last {done[-1] - began:.2f} s"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        port, rows = free_port(), Path(folder) / "upstreams.toml"
        rows.write_text(ROW.format(port), encoding="utf-8")
        with product(GATEWAY_UPSTREAMS=str(rows)) as stack:
            asyncio.run(measure(stack, port, arguments.sockets, arguments.seconds))


if __name__ == "__main__":
    main()
