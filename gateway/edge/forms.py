"""Forms, as the authority sends them.

Owns the one form that is read, UTF-8 in `application/x-www-form-urlencoded`, whatever a
`charset` claims (URL standard, section 5.1): aiohttp's own reader fails on unknown names and on bytes that are no text.
Never believes what a body says.
"""

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from servicekit.http.bodies import read_bytes

FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 50


async def read_form(request: web.Request) -> list[tuple[str, str]] | None:
    """Return the fields of a form in their order, the same name perhaps twice; None when the body is no such form.

    A compressed one is none. Raises BodyTooLarge, RequestTimedOut.
    """
    if request.content_type != FORM or request.headers.get(hdrs.CONTENT_ENCODING):
        return None
    body = await read_bytes(request)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
