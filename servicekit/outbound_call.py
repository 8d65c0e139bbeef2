"""One call to another server: its answer whole, or as soon as its head is there.

Owns that a whole answer has a largest size, and that a reply nobody waits for any more is closed, whenever it comes.
Never decides whether a call may be made, and never reads meaning into a status.
"""

import asyncio
import math
from typing import Final

from yarl import URL

from servicekit.http_client.client import Answered, HttpClient, Request
from servicekit.outbound_error import TOO_LARGE, OutboundError
from servicekit.reply import Reply
from servicekit.streamed_reply import StreamedReply
from servicekit.upload import Upload

LARGEST_REPLY: Final = 1_000_000


class OpenReplies:
    """How many replies are open: their heads came, and their bodies are read; `most` may be, without it any number."""

    def __init__(self, most: float | None) -> None:
        self.most = math.inf if most is None else most
        self.number = 0

    def reply(self, answered: Answered, body: bytes | Upload | None) -> StreamedReply:
        """Return the reply to a request with this body, as its head has come; it is open until it is closed."""
        self.number += 1
        return StreamedReply(answered, body if isinstance(body, Upload) else None, self._one_less)

    def _one_less(self) -> None:
        self.number -= 1


class OutboundCall:
    """A request that goes out by `client`, and what comes back within `seconds`; made and used once."""

    __slots__ = ("_client", "_is_abandoned", "_open", "_origin", "_reply", "_request", "_seconds")

    def __init__(
        self,
        client: HttpClient,
        origin: URL,
        request: Request,
        seconds: float,
        open_replies: OpenReplies | None = None,
    ) -> None:
        self._client = client
        self._origin = origin
        self._request = request
        self._seconds = seconds
        self._open = open_replies or OpenReplies(None)
        self._reply: StreamedReply | None = None
        self._is_abandoned = False

    async def whole(self) -> Reply:
        """Return the whole reply; all of it has its `seconds`. Raises OutboundError."""
        until = asyncio.get_running_loop().time() + self._seconds
        answered = await self._client.ask(self._origin, self._request, seconds=self._seconds)
        try:
            body = await _whole(answered, self._seconds, until)
        finally:
            answered.end()
        return Reply(answered.message.code, answered.message.headers, body)

    async def opened(self) -> StreamedReply:
        """Return the reply as soon as its head is there. Raises OutboundError, and what an upload has failed with."""
        answered = await self._client.ask(self._origin, self._request, seconds=self._seconds)
        self._reply = self._open.reply(answered, self._request.body)
        if self._is_abandoned:
            self._reply.close()
        return self._reply

    def abandon(self) -> None:
        """Close the reply, whenever it comes: whoever asked is not there any more."""
        self._is_abandoned = True
        if self._reply:
            self._reply.close()


async def _whole(answered: Answered, seconds: float, until: float) -> bytes:
    here = answered.connection.here
    if here is not None:
        if len(here) > LARGEST_REPLY:
            raise OutboundError(TOO_LARGE, maybe_done=True)
        return here
    body, timer, whole = answered.connection.body, answered.connection.timer, bytearray()
    if not body.is_eof():
        timer.give(seconds, until=until)
    while not body.at_eof():
        whole += await body.readany()
        if len(whole) > LARGEST_REPLY:
            raise OutboundError(TOO_LARGE, maybe_done=True)
    return bytes(whole)
