"""A request as aiohttp's own parser makes it of bytes, for what reads requests without a server.

Never has a peer or a route.
"""

import functools
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from aiohttp.test_utils import make_mocked_request

_LARGEST = 1 << 20


def parsed_request(
    fields: Iterable[tuple[str, str]], path: str = "/", *, method: str = "GET", body: bytes = b""
) -> web.Request | None:
    r"""Return a request with these header fields; None where the parser refuses them. `\udcff` is the byte 255."""
    named = [("Host", "localhost"), *fields, *([("Content-Length", str(len(body)))] if body else [])]
    head = "".join(f"{name}: {value}\r\n" for name, value in named)
    sent = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode(errors="surrogateescape") + body
    around = _surroundings()
    parser = HttpRequestParser(
        BaseProtocol(around._loop),
        around._loop,
        limit=_LARGEST,
        max_line_size=_LARGEST,
        max_field_size=_LARGEST,
        max_headers=_LARGEST,
    )
    try:
        messages, _, _ = parser.feed_data(sent)
    except HttpProcessingError:
        return None
    ((message, payload),) = messages
    return web.Request(message, payload, around._protocol, around._payload_writer, around._task, around._loop)


@functools.cache
def _surroundings() -> Any:
    """Return a request of aiohttp's test tools, whose connection nobody ever uses."""
    return make_mocked_request("GET", "/")
