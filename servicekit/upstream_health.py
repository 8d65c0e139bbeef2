"""What the end of a call says of the health of an upstream.

Owns which ends are failures: those that keep people waiting. Never counts them; `upstream.py` does.
"""

from typing import Final

from servicekit.outbound_error import CUT, NOT_A_WEBSOCKET, NOT_HTTP, TIMEOUT, TOO_LARGE, OutboundError
from servicekit.reply import Reply
from servicekit.streamed_reply import StreamedReply

_GATEWAY_TIMEOUT: Final = 504


def tells_of_time_out(reply: Reply | StreamedReply) -> bool:
    """Tell whether a proxy in between says that the server behind it took too long."""
    return reply.status == _GATEWAY_TIMEOUT


def is_failure(error: BaseException, *, is_fair: bool) -> bool | None:
    """Tell what an exception says of an upstream; `is_fair` says that it was given its time."""
    if not isinstance(error, OutboundError) or error.reason in {CUT, NOT_HTTP, NOT_A_WEBSOCKET}:
        return None
    if error.reason == TIMEOUT and not is_fair:
        return None
    return error.reason != TOO_LARGE
