"""An answer whose head has come, and whose body is read as it comes.

Owns the end of the exchange, and how long the other side may keep silent in the middle. Never opens what is compressed,
and never holds more of a body than one piece.
"""

from collections.abc import AsyncGenerator, Callable

from multidict import CIMultiDictProxy

from servicekit.http_client.client import Answered
from servicekit.outbound_error import CUT, TOO_LARGE, OutboundError
from servicekit.upload import Upload


class StreamedReply:
    """A reply of which the head is there; whoever has it must `close` it.

    Header names are case-insensitive, and as they came: hop-by-hop ones are among them.
    `on_close` is called once.
    """

    __slots__ = ("_answered", "_body", "_here", "_is_closed", "_upload", "headers", "on_close", "status")

    def __init__(self, answered: Answered, upload: Upload | None, on_close: Callable[[], None]) -> None:
        self._answered = answered
        self._here = answered.connection.here
        self._body = answered.connection.body
        self._upload = upload
        self.on_close = on_close
        self._is_closed = False
        self.status = answered.message.code
        self.headers: CIMultiDictProxy[str] = answered.message.headers
        if upload:
            upload.on_failure = self.cut
            if upload.failure:
                self.cut()

    @property
    def is_here(self) -> bool:
        """Whether all of the body has come, so that reading it waits for nobody."""
        return self._here is not None or (self._body.is_eof() and self._body.exception() is None)

    @property
    def size_here(self) -> int:
        """How many bytes of the body have come."""
        return self._body.total_bytes if self._here is None else len(self._here)

    def rest(self) -> bytes:
        """Return what is here of the body and was not read; raises OutboundError where it broke off."""
        if self._here is not None:
            here, self._here = self._here, b""
            self._answered.end()
            return here
        piece: bytes = self._body.read_nowait(-1)
        if self._body.at_eof():
            self._answered.end()
        return piece

    async def pieces(self, silence: float) -> AsyncGenerator[bytes, None]:
        """Yield the body piece by piece, as it comes.

        Raises OutboundError where it breaks off, or nothing comes for `silence` seconds, and what the request's own
        upload has failed with.
        """
        if self._here is not None:
            if here := self.rest():
                yield here
            return
        body, timer = self._body, self._answered.connection.timer
        while not body.at_eof():
            if not body.is_eof():
                timer.give(silence)
            try:
                piece = await body.readany()
            except OutboundError:
                if self._upload and self._upload.failure:
                    raise self._upload.failure from None
                raise
            timer.hold()
            if piece:
                yield piece
        self._answered.end()

    async def whole(self, most: int, silence: float) -> bytes:
        """Return the whole body; raises OutboundError as `pieces` does, and where it has more than `most` bytes."""
        if self.is_here:
            here = self.rest()
            if len(here) > most:
                raise OutboundError(TOO_LARGE, maybe_done=True)
            return here
        body = bytearray()
        async for piece in self.pieces(silence):
            body += piece
            if len(body) > most:
                raise OutboundError(TOO_LARGE, maybe_done=True)
        return bytes(body)

    def cut(self) -> None:
        """End the exchange at once, whoever still sends."""
        if not self._answered.is_over:
            self._answered.connection.fail(OutboundError(CUT, maybe_done=True))

    def close(self) -> None:
        """End the exchange: its connection is used again only where both sides have said everything.

        Of a body that nobody read, the rest may be gigabytes.
        """
        if not self._is_closed:
            self._is_closed = True
            self._answered.end()
            self.on_close()
