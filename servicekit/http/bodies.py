"""The bodies of requests: small, soon there, and strict JSON where JSON is asked for.

Owns what may arrive (type, encoding, size, time) and how it is read. aiohttp bounds the size of a body, and waits for
ever for one that is never finished.
Never looks at what a body means.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final

from aiohttp import hdrs, web

from servicekit.errors import BadRequest, BodyTooLarge, RequestTimedOut, UnsupportedMediaType
from servicekit.http.admission import lent_place
from servicekit.strict_json import NotStrictJson, load_strict_json

LARGEST_BODY: Final = 16_384
READ_SECONDS: Final = 10
MERGE_PATCH: Final = ("application/json", "application/merge-patch+json")
"""The types in which a change is sent: RFC 7396, and what everybody sends."""


async def read_bytes(
    request: web.Request, *, largest: int = LARGEST_BODY, seconds: float = READ_SECONDS
) -> bytes:
    """Return a request's body, of `largest` bytes at most; what was announced as larger is not read at all.

    Raises BodyTooLarge, and RequestTimedOut when it is not there after `seconds`. A caller who goes away in the middle
    ends the request.
    """
    if (request.content_length or 0) > largest:
        raise BodyTooLarge
    if request.content.is_eof():  # it has come whole, as most bodies do, and nobody is waited for
        whole = request.content.read_nowait()
        if len(whole) > largest:
            raise BodyTooLarge
        return whole
    body = bytearray()
    try:
        async with lent_unless_there(request), asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > largest:
                    raise BodyTooLarge
    except TimeoutError as error:
        raise RequestTimedOut from error
    return bytes(body)


def lent_unless_there(request: web.BaseRequest) -> AbstractAsyncContextManager[None]:
    """Return what lends the request's place to others while its body is on the way; nothing where it has come."""
    return nullcontext() if request.content.is_eof() else lent_place(request)


async def read_json(request: web.Request, *, types: tuple[str, ...] = MERGE_PATCH) -> Any:
    """Return the JSON value of a request's body, which must say that it is one of `types`.

    Raises UnsupportedMediaType, BodyTooLarge, RequestTimedOut, BadRequest.
    """
    # JSON is UTF-8 (RFC 8259, section 8.1): a body that says otherwise would be read otherwise by somebody else.
    is_utf8 = (request.charset or "utf-8").lower() in {"utf-8", "utf8"}
    # A few bytes can unfold into gigabytes, so an encoding is not even looked at.
    if request.content_type not in types or not is_utf8 or request.headers.get(hdrs.CONTENT_ENCODING):
        raise UnsupportedMediaType(
            f"Send {' or '.join(types)}, not compressed.", headers={"Accept-Patch": ", ".join(types)}
        )
    try:
        return load_strict_json(await read_bytes(request))
    except NotStrictJson as error:
        raise BadRequest(f"The body cannot be used: {error}.") from error
