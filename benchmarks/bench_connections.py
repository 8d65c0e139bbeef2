"""How much memory an open connection takes of a gateway while nothing is asked by it.

Each is used once and then kept, as browsers and proxies do. What the first tenth brings into memory is not counted.

    python -m benchmarks.bench_connections [--connections 2000]
"""

import argparse
import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.running import product
from devstack.stack import Stack
from tests.stage.other_front_end import OtherFrontEnd

PATH: Final = "/api/session"


def resident(pid: int) -> int:
    """Return how much memory a process has, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def _opened(stack: Stack, cookie: str) -> asyncio.StreamWriter:
    parts = urlsplit(stack.gateway_url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    fields = f"Host: {parts.netloc}\r\nX-CSRF: 1\r\nCookie: __Host-Http-session={cookie}\r\n"
    writer.write(f"GET {PATH} HTTP/1.1\r\n{fields}\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.partition(b"\r\n")[0], head
    return writer


async def measure(stack: Stack, count: int) -> None:
    """Open connections and print what each took."""
    pid = stack.parts["gateway"].child.pid
    assert pid is not None
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as ada:
        await ada.sign_in()
        opened = [await _opened(stack, ada.cookie()) for _ in range(count // 10)]
        before = resident(pid)
        opened += [await _opened(stack, ada.cookie()) for _ in range(count)]
        print(f"{(resident(pid) - before) / count / 1000:.1f} kB a connection, {count} of them")
        for writer in opened:
            writer.close()


def main() -> None:
    """Read the options, run the product and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=2000)
    count = parser.parse_args().connections
    with product() as stack:
        asyncio.run(measure(stack, count))


if __name__ == "__main__":
    main()
