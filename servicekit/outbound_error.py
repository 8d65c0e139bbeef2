"""How a call to another server fails, in the words of the log.

Owns what each fault of the network means: why no answer came, and whether the request can have reached the other side.
Never decides what a failure means for whoever asked.
"""

from typing import Final

import aiohttp

from servicekit.tls_refusal import refused_by_tls

PAUSED: Final = "paused"
UNREACHABLE: Final = "unreachable"
TIMEOUT: Final = "timeout"
CUT: Final = "cut"
NOT_HTTP: Final = "not-http"
NOT_A_WEBSOCKET: Final = "not-a-websocket"
TOO_LARGE: Final = "too-large"


class OutboundError(Exception):
    """No complete reply came; `reason` is for the log: unreachable, timeout, cut, not-http, or why TLS failed.

    Or a handshake was answered by what is `not-a-websocket`, the reply is `too-large`, or the other side fails, and is
    left alone for `retry_after` seconds: `paused`.
    `maybe_done` is True unless the request cannot have reached the other side.
    """

    def __init__(self, reason: str, *, maybe_done: bool, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.maybe_done = maybe_done
        self.retry_after = retry_after


def outbound_error_of(fault: Exception) -> OutboundError:
    """Return what a fault means that a request met: one of aiohttp's, of the system's, or a time-out."""
    if isinstance(fault, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return OutboundError(refused_by_tls(fault) or UNREACHABLE, maybe_done=False)
    if isinstance(fault, TimeoutError):
        return OutboundError(TIMEOUT, maybe_done=True)
    if isinstance(fault, aiohttp.ClientResponseError):
        return OutboundError(NOT_HTTP, maybe_done=True)
    return OutboundError(CUT, maybe_done=True)
