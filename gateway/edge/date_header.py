"""The `Date` of an answer: that of the times in its body.

A page counts what is left of a session from an answer's `Date` (RFC 9110, section 6.6.1) to the moments that its body
names. Those are Redis' time, and so is the `Date` wherever this machine's clock says otherwise.
Never changes a clock, and leaves the header to the server as long as both agree.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from aiohttp import hdrs, web

_APART_SECONDS: Final = 2


def date_header(
    now: Callable[[], float], redis_time: Callable[[], float]
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the signal that dates answers by `redis_time`, where the machine's own `now` differs (both in s)."""

    async def date(_request: web.Request, response: web.StreamResponse) -> None:
        moment = redis_time()
        if abs(moment - now()) > _APART_SECONDS:
            response.headers[hdrs.DATE] = format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)

    return date
