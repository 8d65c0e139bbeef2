"""Requests as proxies write them: every byte is the test's own, over one connection that ends with the answer."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.stage.patience import PATIENCE

CRLF = b"\r\n"


@dataclass(frozen=True)
class RawAnswer:
    """The last answer on the connection; header names are in small letters, of several fields the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes
    set_cookies: list[str]
    interim: list[int]
    """The statuses of what came before it, such as 100."""


async def ask_raw(
    url: str, method: str, path: str, fields: Iterable[tuple[str, str]], body: bytes = b""
) -> RawAnswer:
    r"""Send one request with these header fields, in this order and these letters; `\udcff` is the byte 255."""
    parts = urlsplit(url)
    named = [("Host", parts.netloc), *fields, ("Connection", "close")]
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named)]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        written = (line.encode(errors="surrogateescape") for line in head)
        writer.write(CRLF.join(written) + CRLF * 2 + body)
        whole = await asyncio.wait_for(reader.read(), PATIENCE)
    finally:
        writer.close()
    return _read(whole, [])


def chunks(*pieces: bytes, extension: str = "", trailers: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return a body in chunks (RFC 9112, section 7.1)."""
    sent = b"".join(f"{len(piece):x}{extension}".encode() + CRLF + piece + CRLF for piece in pieces)
    return sent + b"0" + CRLF + b"".join(f"{n}: {v}".encode() + CRLF for n, v in trailers) + CRLF


def _read(whole: bytes, interim: list[int]) -> RawAnswer:
    head, _, rest = whole.partition(CRLF * 2)
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split()[1])
    if status < 200:
        return _read(rest, [*interim, status])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    cookies = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("set-cookie:")]
    return RawAnswer(status, headers, rest, cookies, interim)
