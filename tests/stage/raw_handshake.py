"""WebSocket handshakes as anybody may write them: every byte is the test's own."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tests.stage.patience import PATIENCE

KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT: Final = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""What answers that key (RFC 6455, section 1.3)."""
HANDSHAKE: Final = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
)


@dataclass(frozen=True)
class Answered:
    """The first answer on the connection; header names are in small letters, of several fields the last counts."""

    status: int
    headers: dict[str, str]
    after: bytes
    """What came behind the head until the other side ended, or nothing for a socket that was opened."""


async def handshake(
    url: str,
    path: str,
    fields: Iterable[tuple[str, str]] = (),
    *,
    start: str = "GET {path} HTTP/1.1",
    without: Iterable[str] = (),
    after: bytes = b"",
) -> Answered:
    """Send a handshake with more `fields`, which take the place of its own of the same name, and `after` behind it."""
    parts, fields = urlsplit(url), list(fields)
    replaced = {*without, *(name for name, _ in fields)}
    named = [("Host", parts.netloc), *HANDSHAKE]
    sent = [pair for pair in named if pair[0] not in replaced] + [pair for pair in fields if pair[1]]
    lines = [start.format(path=path), *(f"{name}: {value}" for name, value in sent), "", ""]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write("\r\n".join(lines).encode(errors="surrogateescape") + after)
        async with asyncio.timeout(PATIENCE):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split()[1])
            pairs = (line.partition(":") for line in head[1:-2])
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            has_none = status == 101 or start.startswith("HEAD")
            rest = b"" if has_none else await reader.readexactly(int(headers.get("content-length", 0)))
    finally:
        writer.transport.abort()
    return Answered(status, headers, rest)
