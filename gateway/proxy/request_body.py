"""The body of a request on its way to an upstream: the begin of it held, the rest passed on as it comes.

Owns how much is read ahead (so much can wait for its person, and be sent a second time), what a body may have in all,
and the pace that its sender must keep.
Never holds more than what is read ahead and one piece, and never looks at what a body means.

A body in time is one of ten seconds, and of one second more for every 500 bytes (as Apache's `RequestReadTimeout` has
it). What its upstream takes for what came is not the sender's time.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from servicekit.errors import BodyTooLarge, RequestTimedOut
from servicekit.http.bodies import READ_SECONDS, lent_unless_there

HELD_BYTES: Final = 65_536
"""What is read ahead: as much as can be parked."""
_LEAST_PACE: Final = 500
"""Bytes a second."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A body of which `held` is here; `is_whole` says that it is all. `seconds` is its time before the pace counts."""

    request: web.BaseRequest
    most: int
    held: bytes
    is_whole: bool
    seconds: float = READ_SECONDS

    @property
    def length(self) -> int | None:
        """Its length in bytes, where the request says it."""
        return self.request.content_length

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield all of it, piece by piece.

        Raises BodyTooLarge, RequestTimedOut, and what aiohttp raises where its sender leaves.
        """
        loop, content, came, waited = asyncio.get_running_loop(), self.request.content, len(self.held), 0.0
        if self.held:
            yield self.held
        while not content.at_eof():
            began = loop.time()
            try:
                async with asyncio.timeout(self.seconds + came / _LEAST_PACE - waited):
                    piece = await content.readany()
            except TimeoutError as error:
                raise RequestTimedOut from error
            waited += loop.time() - began
            came += len(piece)
            if came > self.most:
                raise BodyTooLarge
            if piece:
                yield piece


async def read_ahead(request: web.BaseRequest, *, most: int, seconds: float = READ_SECONDS) -> RequestBody:
    """Return a request's body as far as it is read ahead; of one that is announced as larger, nothing is.

    Raises BodyTooLarge where it has more than `most` bytes as far as that is known, RequestTimedOut, and what aiohttp
    raises where its sender leaves.
    """
    length = request.content_length or 0
    if length > most:
        raise BodyTooLarge
    content, held = request.content, bytearray()
    if length <= HELD_BYTES and not content.at_eof():
        try:
            async with lent_unless_there(request), asyncio.timeout(seconds):
                while not content.at_eof() and len(held) <= HELD_BYTES:
                    held += await content.readany()
        except TimeoutError as error:
            raise RequestTimedOut from error
    if len(held) > most:
        raise BodyTooLarge
    return RequestBody(request, most, bytes(held), content.at_eof(), seconds)
