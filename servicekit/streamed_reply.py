"""An answer whose head has come, and whose body is read as it comes.

Owns the way from a request to that head, the end of the exchange, and how long the other side may keep silent in the
middle. Never opens what is compressed, never follows a redirect, and never holds more of a body than one piece.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Final

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from servicekit.outbound_error import CUT, NOT_HTTP, TOO_LARGE, OutboundError, outbound_error_of
from servicekit.remote_timeout import RemoteTimeout
from servicekit.upload import Upload

LARGEST_FIELD: Final = 16_384
"""Of an answer's header field, in bytes: claims in a challenge take some thousand."""
_SWITCHING: Final = 101
# What aiohttp would say for whoever did not say it.
_NOT_ADDED: Final = ("Accept", "Accept-Encoding", "Content-Type")


class StreamedReply:
    """A reply of which the head is there; whoever has it must `close` it.

    Header names are case-insensitive, and as they came: hop-by-hop ones are among them.
    `on_close` is called once.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        upload: Upload | None,
    ) -> None:
        self._response = response
        self._upload = upload
        self.on_close: Callable[[], None] = lambda: None
        self._is_closed = False
        self._protocol = response.connection.protocol if response.connection else None
        self.status = response.status
        self.headers: CIMultiDictProxy[str] = response.headers
        if upload:
            upload.on_failure = self.cut
            if upload.failure:
                self.cut()

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the body is still to come, as far as our side knows."""
        return self._response.content.at_eof()

    async def pieces(self, silence: float) -> AsyncGenerator[bytes, None]:
        """Yield the body piece by piece, as it comes.

        Raises OutboundError where it breaks off, or nothing comes for `silence` seconds, and what the request's own
        upload has failed with.
        """
        content = self._response.content
        while True:
            try:
                async with RemoteTimeout(silence):
                    piece = await content.readany()
            except (aiohttp.ClientError, OSError) as error:
                if self._upload and self._upload.failure:
                    raise self._upload.failure from None
                raise outbound_error_of(error) from error
            if piece:
                yield piece
            elif content.at_eof():
                self._refuse_a_reset()
                return

    def _refuse_a_reset(self) -> None:
        """Raise where a body that ends with its connection (RFC 9112, section 6.3) ended by a fault of that.

        aiohttp takes it for whole.
        """
        is_framed = hdrs.CONTENT_LENGTH in self.headers or hdrs.TRANSFER_ENCODING in self.headers
        fault = None if self._protocol is None else self._protocol.exception()
        if not is_framed and isinstance(fault, aiohttp.ClientOSError):
            raise OutboundError(CUT, maybe_done=True)

    async def whole(self, most: int, silence: float) -> bytes:
        """Return the whole body; raises OutboundError as `pieces` does, and where it has more than `most` bytes."""
        body = bytearray()
        async for piece in self.pieces(silence):
            body += piece
            if len(body) > most:
                raise OutboundError(TOO_LARGE, maybe_done=True)
        return bytes(body)

    def cut(self) -> None:
        """End the exchange at once, whoever still sends."""
        self._response.close()

    def close(self) -> None:
        """End the exchange: its connection is used again only where both sides have said everything."""
        if not self._is_closed:
            self._is_closed = True
            # Of a body that nobody read, the rest may be gigabytes.
            self._response.close()
            self.on_close()


class Opening:
    """A reply on its way to whoever asked, who may go before it comes: then nobody else would close it."""

    def __init__(self) -> None:
        self._reply: StreamedReply | None = None
        self._is_abandoned = False

    def keep(self, reply: StreamedReply) -> None:
        """Note the reply, which is here now."""
        self._reply = reply
        if self._is_abandoned:
            reply.close()

    def abandon(self) -> None:
        """Close it, whenever it comes."""
        self._is_abandoned = True
        if self._reply:
            self._reply.close()


async def open_reply(
    session: aiohttp.ClientSession,
    method: str,
    address: URL,
    *,
    headers: Mapping[str, str],
    body: bytes | Upload | None,
    seconds: float,
) -> StreamedReply:
    """Send one request, and return the reply as soon as its head is there, whatever its status.

    `address` is sent as it stands, byte for byte. Raises what aiohttp and the system raise, TimeoutError where the
    other side takes longer than `seconds` for anything, and OutboundError for what is no answer to a request.
    """
    fields = CIMultiDict(headers)
    limit = RemoteTimeout(seconds)
    data: bytes | AsyncGenerator[bytes, None] | None
    if isinstance(body, Upload):
        data = body.pieces(limit)
        if body.length is not None:
            fields[hdrs.CONTENT_LENGTH] = str(body.length)
    else:
        data = body or None
    async with limit:
        response = await session.request(
            method,
            address,
            headers=fields,
            data=data,
            skip_auto_headers=_NOT_ADDED,
            allow_redirects=False,
            auto_decompress=False,
            max_field_size=LARGEST_FIELD,
            max_line_size=LARGEST_FIELD,
        )
    if response.status == _SWITCHING:
        response.close()
        raise OutboundError(NOT_HTTP, maybe_done=True)
    return StreamedReply(response, body if isinstance(body, Upload) else None)


def failure_of(error: Exception, body: bytes | Upload | None) -> Exception:
    """Return what a fault on the way to the head means: the upload's own failure, where that is what ended it."""
    if isinstance(body, Upload) and body.failure:
        return body.failure
    return error if isinstance(error, OutboundError) else outbound_error_of(error)
