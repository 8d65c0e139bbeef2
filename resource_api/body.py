"""The body of a request: small, plain, strict JSON.

Owns what may arrive (type, encoding, size) and how it is read.
Never looks at what the body means.
"""

from typing import Any, Final

from aiohttp import hdrs, web

from servicekit.errors import BadRequest, BodyTooLarge, RequestTimedOut, UnsupportedMediaType
from servicekit.request_body import BodyIsTooLarge, read_body
from servicekit.strict_json import NotStrictJson, load_strict_json

LARGEST_BODY: Final = 16 * 1024
TYPES: Final = ("application/json", "application/merge-patch+json")


async def read_json(request: web.Request) -> Any:  # noqa: ANN401 - JSON is what it is
    """Return the JSON value of a request's body.

    Raises UnsupportedMediaType, BodyTooLarge, RequestTimedOut, BadRequest.
    """
    charset = (request.charset or "utf-8").lower()
    if request.content_type not in TYPES or charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType(
            f"Send {' or '.join(TYPES)} in UTF-8.", headers={"Accept-Patch": ", ".join(TYPES)}
        )
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        # A few bytes can unfold into gigabytes.
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    try:
        return load_strict_json(await read_body(request, largest=LARGEST_BODY))
    except BodyIsTooLarge as error:
        raise BodyTooLarge from error
    except TimeoutError as error:
        raise RequestTimedOut from error
    except NotStrictJson as error:
        raise BadRequest(f"The body can't be used: {error}.") from error
