"""What a gateway and the services that it asks say to each other, as far as a test must tell requests apart (HTTP/1.1).

Owns reading whole requests and responses from a stream: RFC 9112, bodies with a length or in chunks.
Never reads a response that ends with its connection, an upgrade, or the answer to HEAD: nobody here sends them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

_END = b"\r\n\r\n"


@dataclass(frozen=True)
class HttpRequest:
    """One request as it was sent."""

    method: str
    target: str
    body: bytes
    raw: bytes


def asks(method: str, path: str) -> Callable[[HttpRequest], bool]:
    """Match a request by its method and the end of its path."""
    return lambda request: request.method == method and request.target.partition("?")[0].endswith(path)


def token_request(grant: str) -> Callable[[HttpRequest], bool]:
    """Match a request to the token endpoint by its `grant_type`."""
    is_one = asks("POST", "/token")
    return lambda request: is_one(request) and parse_qs(request.body.decode())["grant_type"] == [grant]


class HttpWire:
    """HTTP/1.1, as our services speak it."""

    async def request(self, reader: asyncio.StreamReader) -> HttpRequest:
        """Read a request with its body."""
        head = await reader.readuntil(_END)
        method, target, _ = head.split(b" ", 2)
        assert method != b"HEAD", head
        raw, body = await _body(reader, head)
        return HttpRequest(method.decode(), target.decode(), body, head + raw)

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        """Read a response with its body."""
        head = await reader.readuntil(_END)
        raw, _ = await _body(reader, head)
        return head + raw

    def carried_out(self, answer: bytes) -> bool:
        """Every answer is one."""
        return bool(answer)


async def _body(reader: asyncio.StreamReader, head: bytes) -> tuple[bytes, bytes]:
    """Return a body as it came, and what it says; both are empty where there is none."""
    fields = {
        name.strip().lower(): value.strip().lower()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if fields.get(b"transfer-encoding") == b"chunked":
        raw, body = b"", b""
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            chunk = await reader.readexactly(size + 2)
            raw, body = raw + line + chunk, body + chunk[:-2]
            if not size:  # nobody here sends trailers
                return raw, body
    body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
    return body, body
