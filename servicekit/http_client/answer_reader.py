"""The answers that come by one connection: their heads read by aiohttp's parser, and where each of them ends.

Owns that an answer which comes in one piece with its head, and says its length, is here at once; every other one is
read as it comes, by a parser of its own. The most common answer needs no stream, no parser, and nobody to wait for.
Never knows a transport, never waits, and never reads meaning into a status but for whether a body follows.

Sources: RFC 9112, section 6.3 (where a body ends).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import hdrs
from aiohttp.http import HttpResponseParser, RawResponseMessage
from aiohttp.http_exceptions import BadHttpMessage, HttpProcessingError
from aiohttp.streams import StreamReader

from servicekit.outbound_error import CUT, OutboundError

LARGEST_FIELD: Final = 16_384
"""Of an answer's header field, in bytes: claims in a challenge take some thousand."""
MOST_FIELDS: Final = 128
HELD_BYTES: Final = 65_536
"""Of a body that is read as it comes: twice as much may lie here before no more of it is read from the network."""
WITHOUT_BODY: Final = frozenset({204, 304})
FIRST_FINAL: Final = 200
"""The first status of an answer that is not followed by another one (RFC 9110, section 15.2)."""
_HEAD_END: Final = b"\r\n\r\n"

Messages = Sequence[tuple[RawResponseMessage, StreamReader]]


class _NotUnpackedError(OutboundError):
    """A body is not what its `Content-Encoding` says."""

    def __init__(self, _words: str) -> None:
        super().__init__(CUT, maybe_done=True)


class AnswerReader:
    """Reads one answer after the other; `protocol` is told to pause and to go on, as aiohttp's own."""

    __slots__ = ("_has_body", "_heads", "_loop", "_parser", "_protocol", "_unpacks", "here")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._heads: HttpResponseParser | None = None
        self._parser: HttpResponseParser | None = None
        self._has_body = self._unpacks = False
        self.here: bytes | None = None
        """The whole body of an answer that came in one piece; None of one that is read as it comes."""

    def begin(self, *, has_body: bool, unpacks: bool) -> None:
        """Expect an answer, which may have a body; `unpacks` says that a compressed one is opened."""
        self._has_body, self._unpacks = has_body, unpacks
        self._parser = self.here = None

    def feed(self, data: bytes) -> Messages:
        """Read what came; return the heads that are complete by it, each with its body as it comes.

        Raises what the parser raises, and BadHttpMessage where there is more than the answer.
        """
        parser = self._parser
        if parser is None:
            if self.here is not None:
                raise BadHttpMessage("more than the answer")
            if whole := self._whole(data):
                return whole
            parser = self._parser = self._made(has_body=self._has_body, unpacks=self._unpacks)
        messages: Messages = parser.feed_data(data)[0]
        return messages

    def end(self) -> bool:
        """Expect nothing any more; tell whether nothing is left of the answer, or of what followed it."""
        parser, here = self._parser, self.here
        self._parser = self.here = None
        if parser is None:
            return here is not None
        try:
            return parser.feed_eof() is None
        except HttpProcessingError:
            return False

    def end_by_close(self) -> None:
        """Hear that the connection has ended, which may be the end of a body; raises HttpProcessingError else."""
        if self._parser is not None:
            self._parser.feed_eof()

    @property
    def is_at_it(self) -> bool:
        """Whether it has read some of an answer that is not here at once."""
        return self._parser is not None

    def pause(self) -> None:
        """Parse no more of what came until it goes on."""
        if self._parser is not None:
            self._parser.pause_reading()

    def _whole(self, data: bytes) -> Messages | None:
        """Return the head of an answer all of which this is; None where it is another one, or not all of it."""
        body_at = data.find(_HEAD_END) + len(_HEAD_END)
        if body_at < len(_HEAD_END):
            return None
        # Used again only where it has read one head and nothing else.
        heads, self._heads = self._heads or self._made(has_body=False, unpacks=False), None
        messages: Messages
        messages, is_upgraded, _ = heads.feed_data(data[:body_at])
        if len(messages) != 1 or is_upgraded:
            return None
        message = messages[0][0]
        if not message.should_close:  # else the parser refuses all that follows
            self._heads = heads
        has_none = not self._has_body or message.code in WITHOUT_BODY
        length = "0" if has_none else message.headers.get(hdrs.CONTENT_LENGTH)
        if (
            length is None
            or int(length) != len(data) - body_at
            or message.code < FIRST_FINAL
            or message.chunked
            or message.upgrade
            or (self._unpacks and message.compression)
        ):
            return None
        self.here = data[body_at:]
        return messages

    def _made(self, *, has_body: bool, unpacks: bool) -> HttpResponseParser:
        return HttpResponseParser(
            self._protocol,
            self._loop,
            HELD_BYTES,
            max_line_size=LARGEST_FIELD,
            max_headers=MOST_FIELDS,
            max_field_size=LARGEST_FIELD,
            payload_exception=_NotUnpackedError,
            response_with_body=has_body,
            read_until_eof=True,
            auto_decompress=unpacks,
        )
