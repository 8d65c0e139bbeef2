"""The bytes of a request's body, bounded in size and in time.

Owns the reading alone: aiohttp bounds the size of a body, and waits for ever for one that is never finished.
Never looks at what the bytes mean, and leaves it to the services what their callers are told.
"""

import asyncio
from typing import Final

from aiohttp import web

READ_SECONDS: Final = 10


class BodyIsTooLarge(Exception):  # noqa: N818 - what was found, as a service's own error says it to the caller
    """More bytes came than were agreed."""


async def read_body(request: web.Request, *, largest: int, seconds: float = READ_SECONDS) -> bytes:
    """Return a request's body, of `largest` bytes at most; what was announced as larger is not read at all.

    Raises BodyIsTooLarge, and TimeoutError when it is not there after `seconds`. A caller who goes away in the middle
    ends the request.
    """
    if (request.content_length or 0) > largest:
        raise BodyIsTooLarge
    body = bytearray()
    async with asyncio.timeout(seconds):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > largest:
                raise BodyIsTooLarge
    return bytes(body)
