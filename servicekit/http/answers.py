"""A whole answer of ours, which goes out in one piece.

Owns the way of an answer whose body is there: head and body in one write, with the headers of every answer packed
ahead. aiohttp's own way (a signal, a dictionary of headers, two passes over it) is that of streams and files.
Never says which headers every answer has, and never cuts a body into pieces.
"""

import functools
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol, Self

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_writer import _serialize_headers
from multidict import CIMultiDict

from servicekit.reference import request_id_of

JSON: Final = "application/json; charset=utf-8"
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES: Final = {status: f"HTTP/1.1 {status} {phrase}" for status, phrase in _REASONS.items()}
# RFC 9112, section 6.3: these have no body, whatever their head says.
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})


class EveryAnswer(Protocol):
    """What knows the headers of every answer."""

    def lines(self, request: web.Request, own: CIMultiDict[str]) -> bytes:
        """Return the header lines that an answer has beside its `own`, each with its end; it may add to those.

        What is usual of its own is type and length of its body, and an entity tag.
        """

    def usual_lines(self) -> bytes | None:
        """Return the lines of an answer that has of its own but type and length, up to the value of the last: its id.

        None where they depend on who asks.
        """


@functools.lru_cache(maxsize=64)
def _beginning(status: int, content_type: str) -> bytes:
    """Return the head of an answer up to its length; these are few, and none of them is a stranger's."""
    line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} "
    head: bytes = _serialize_headers(line, CIMultiDict({hdrs.CONTENT_TYPE: content_type}))
    return head[:-2] + b"Content-Length: "


class Answer(web.Response):
    """An answer with a body of bytes; `every` gives the headers beside its own, once somebody has set it.

    Without it, or where something of aiohttp's own was asked for (compression, chunks, another version), it goes
    aiohttp's way.
    """

    every: EveryAnswer | None = None
    # What aiohttp sets for each answer, for bodies that it compresses.
    _compressed_body = None
    _zlib_executor_size = 4096
    _zlib_executor = None

    def __init__(
        self,
        body: bytes = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> None:
        # All that aiohttp's own beginnings set (a test says so), but for headers that most answers do not need.
        self._state: dict[Any, Any] = {}
        self._status, self._reason = status, _REASONS.get(status, "")
        self._body = body
        self._kind = content_type if body else None
        self._own = self._beginning(headers) if headers else None

    @property
    def _headers(self) -> CIMultiDict[str]:  # type: ignore[override]
        """Its own headers, made for whoever looks at them first, aiohttp included."""
        own = self._own
        if own is None:
            own = self._own = self._beginning(())
        return own

    def _beginning(self, headers: Mapping[str, str] | tuple[()]) -> CIMultiDict[str]:
        own = CIMultiDict(headers)
        if self._kind:
            own[hdrs.CONTENT_TYPE] = self._kind
        return own

    @classmethod
    def of(
        cls,
        value: Any,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Self:
        """Return the answer that says `value` as JSON."""
        return cls(json.dumps(value).encode(), status=status, headers=headers, content_type=content_type)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it whole."""
        if not self.goes_whole(request):
            return await super().prepare(request)
        self.send(request)
        await request.writer.drain()
        return request.writer

    def goes_whole(self, request: web.BaseRequest) -> bool:
        """Tell whether it goes out in one piece; else it is aiohttp's to send."""
        return (
            self.every is not None
            and self._payload_writer is None
            and request.version is HttpVersion11
            and type(self._body) is bytes
            and not (self._compression or self._chunked)
        )

    def send(self, request: web.BaseRequest) -> None:
        """Send it, where it `goes_whole`, without waiting for anybody; raises ConnectionError where nobody is there."""
        every: Any = self.every
        writer: Any = request.writer
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        self._req, self._payload_writer = request, writer
        whole = self._usual(request, every) or self._packed(request, every)
        writer._write(whole)  # noqa: SLF001 - head and body at once, which aiohttp has no word for
        self._eof_sent = True

    def _usual(self, request: web.BaseRequest, every: EveryAnswer) -> bytes | None:
        """Return the whole of an answer that has nothing of its own but its body; None for every other."""
        kind = self._kind
        # Headers that somebody has looked at may have been changed.
        if kind is None or self._own is not None or self._cookies or not self._keep_alive:
            return None
        lines = every.usual_lines()
        if lines is None or self._status in _WITHOUT_BODY:
            return None
        body: Any = self._body
        sent = b"" if request.method == hdrs.METH_HEAD else body
        self._body_length = len(sent)
        identifier = request_id_of(request).text.encode()
        beginning = _beginning(self._status, kind)
        return b"%b%d\r\n%b%b\r\n\r\n%b" % (beginning, len(body), lines, identifier, sent)

    def _packed(self, request: Any, every: EveryAnswer) -> bytes:
        body: Any = self._body
        own, status = self._headers, self._status
        if self._cookies:
            for cookie in self._cookies.values():
                own.add(hdrs.SET_COOKIE, cookie.output(header="")[1:])
        if status not in _WITHOUT_BODY and (body or request.method != hdrs.METH_HEAD):
            own[hdrs.CONTENT_LENGTH] = str(len(body))
        if not self._keep_alive:
            own[hdrs.CONNECTION] = "close"
        lines = every.lines(request, own)
        line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} {self._reason}"
        # It refuses line breaks in a value, and ends with the empty line that is to follow ours.
        head = _serialize_headers(line, own)[:-2]
        if status in _WITHOUT_BODY or request.method == hdrs.METH_HEAD:
            body = b""
        self._body_length = len(body)
        return b"%b%b\r\n%b" % (head, lines, body)
