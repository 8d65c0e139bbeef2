"""What the end of a call says of the health of an upstream.

Owns which ends are failures: those that keep people waiting. Never counts them; `upstream.py` does.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from servicekit.outbound_error import CUT, NOT_A_WEBSOCKET, NOT_HTTP, TIMEOUT, TOO_LARGE, OutboundError
from servicekit.reply import Reply
from servicekit.streamed_reply import StreamedReply

R = TypeVar("R", Reply, StreamedReply)

_GATEWAY_TIMEOUT: Final = 504


class TimedOutBehindError(Exception):
    """A reply by which a proxy in between says that the server behind it took too long."""

    def __init__(self, reply: Reply | StreamedReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


async def in_time(send: Callable[[], Awaitable[R]]) -> R:
    """Return the reply; raises TimedOutBehindError with one that tells of a time-out."""
    reply = await send()
    if reply.status == _GATEWAY_TIMEOUT:
        raise TimedOutBehindError(reply)
    return reply


def is_failure(error: BaseException, *, is_fair: bool) -> bool | None:
    """Tell what an exception says of an upstream; `is_fair` says that it was given its time."""
    if isinstance(error, TimedOutBehindError):
        return True
    if not isinstance(error, OutboundError) or error.reason in {CUT, NOT_HTTP, NOT_A_WEBSOCKET}:
        return None
    if error.reason == TIMEOUT and not is_fair:
        return None
    return error.reason != TOO_LARGE
