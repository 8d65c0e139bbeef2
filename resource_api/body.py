"""The body of a request: small, plain, strict JSON.

Owns what may arrive (type, encoding, size, time) and how it is read.
Never looks at what the body means.
"""

import asyncio
from typing import Any, Final

from aiohttp import hdrs, web

from resource_api import errors
from servicekit.strict_json import NotStrictJson, load_strict_json

LARGEST_BODY: Final = 16 * 1024
READ_SECONDS: Final = 10
TYPES: Final = ("application/json", "application/merge-patch+json")


async def read_json(request: web.Request) -> Any:  # noqa: ANN401 - JSON is what it is
    """Return the JSON value of a request's body.

    Raises UnsupportedMediaType, BodyTooLarge, RequestTimedOut, BadRequest.
    """
    charset = (request.charset or "utf-8").lower()
    if request.content_type not in TYPES or charset not in {"utf-8", "utf8"}:
        raise errors.UnsupportedMediaType(
            f"Send {' or '.join(TYPES)} in UTF-8.", headers={"Accept-Patch": ", ".join(TYPES)}
        )
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        # A few bytes can unfold into gigabytes.
        raise errors.UnsupportedMediaType("Send the body without Content-Encoding.")
    if (request.content_length or 0) > LARGEST_BODY:
        raise errors.BodyTooLarge
    try:
        return load_strict_json(await _read(request))
    except NotStrictJson as error:
        raise errors.BadRequest(f"The body can't be used: {error}.") from error


async def _read(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise errors.BodyTooLarge
    except TimeoutError as error:
        raise errors.RequestTimedOut from error
    return bytes(body)
