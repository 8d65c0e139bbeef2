"""What one request costs a gateway that runs in this process, in counts that no clock is needed for.

A call is an entry of a Python function of ours or of a library on the gateway's behalf; the event loop's own, which are
other ones with another loop, and those of the test's parts are none. Bytes are those that the gateway writes.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import astuple, dataclass
from types import FrameType
from typing import Final, Self
from urllib.parse import urlsplit

from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import RawUpstream
from tests.stage.redis_traffic import CountedRedis
from tests.stage.sources import ROOT

OURS: Final = tuple(f"{ROOT / room}/" for room in ("gateway", "servicekit"))
TESTS: Final = f"{ROOT / 'tests'}/"
LIBRARIES: Final = "/site-packages/"
# It watches for blocking calls in every test (event_loop.py), and is in no gateway.
_WATCH: Final = "/site-packages/blockbuster/"
_LOOP: Final = ("/asyncio/base_events.py", "/asyncio/runners.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request costs: commands and round trips to Redis, functions entered, and bytes written."""

    commands: int
    round_trips: int
    calls: int
    to_client: int
    to_redis: int
    to_upstream: int

    def least(self, other: Self) -> "Cost":
        """Return the smaller of each: what happened beside one of two requests is none of them."""
        return Cost(*map(min, astuple(self), astuple(other)))


class Connection:
    """One connection to the gateway that stays open, as a browser's does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._request = request

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, path: str, cookie: str) -> AsyncIterator[Self]:
        """Connect; each request is the same one, as the signed-in page sends it."""
        parts = urlsplit(url)
        fields = {
            "Host": parts.netloc,
            "Accept": "*/*",
            "X-CSRF": "1",
            "Sec-Fetch-Site": "same-origin",
            "Cookie": f"__Host-Http-session={cookie}",
        }
        lines = "\r\n".join([f"GET {path} HTTP/1.1", *map(": ".join, fields.items()), "", ""])
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield cls(reader, writer, lines.encode())
        finally:
            writer.close()

    async def ask(self) -> int:
        """Send it, and return the bytes of an answer of 200."""
        self._writer.write(self._request)
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            fields = head.lower()
            if b"transfer-encoding: chunked" in fields:
                return len(head) + len(await self._reader.readuntil(b"0\r\n\r\n"))
            length = int(fields.partition(b"content-length:")[2].split()[0])
            return len(head) + len(await self._reader.readexactly(length))


@contextmanager
def counted_calls() -> Iterator[Callable[[], int]]:
    """Count the functions that the gateway enters in this thread while the block runs; yield how to read it."""
    count = 0

    def entered(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        if event == "call" and _counts(frame.f_code.co_filename) and not _is_of_a_test(frame):
            count += 1

    before = sys.getprofile()
    sys.setprofile(entered)
    try:
        yield lambda: count
    finally:
        sys.setprofile(before)


def _counts(file: str) -> bool:
    return file.startswith(OURS) or (LIBRARIES in file and _WATCH not in file)


def _is_of_a_test(frame: FrameType) -> bool:
    """Tell whether a part of the tests called it; below the loop's own turn lies whoever runs the loop."""
    above = frame.f_back
    while above is not None and not above.f_code.co_filename.endswith(_LOOP):
        if above.f_code.co_filename.startswith(TESTS):
            return True
        above = above.f_back
    return False


async def cost_of(
    connection: Connection, redis: CountedRedis, upstream: RawUpstream, *, times: int = 5
) -> Cost:
    """Ask a few times, and return the least of each figure; what only the first requests do is not counted."""
    for _ in range(3):
        await connection.ask()
    costs = [await _once(connection, redis, upstream) for _ in range(times)]
    least = costs[0]
    for cost in costs[1:]:
        least = least.least(cost)
    return least


async def _once(connection: Connection, redis: CountedRedis, upstream: RawUpstream) -> Cost:
    asked = len(upstream.asked)
    async with redis.counting() as traffic:
        with counted_calls() as calls:
            to_client = await connection.ask()
        entered = calls()
    heads = (len(request.head) for request in upstream.asked[asked:])
    return Cost(len(traffic.commands), traffic.round_trips, entered, to_client, traffic.written, sum(heads))
