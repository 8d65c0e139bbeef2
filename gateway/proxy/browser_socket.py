"""The browser's side of a WebSocket.

Owns the answer to its handshake, and that a browser hears why it is refused a message: one that still sends while its
connection is closed is answered by a reset, which takes the close frame away, and a page would be told of a network
that failed.
Never reads a message, and never opens the other side.
"""

import asyncio
from typing import Any, Final

import aiohttp
from aiohttp import web

from gateway.edge.handshakes import answered_with
from servicekit.errors import BadRequest
from servicekit.socket_call import SocketLimits

_LOOK_SECONDS: Final = 0.02


class BrowserSocket(web.WebSocketResponse[bool]):
    """A WebSocket whose connection stays for a moment where the browser did something wrong."""

    def _close_transport(self) -> None:
        transport = self._transport
        if not self._is_refused:
            super()._close_transport()
        elif transport is not None and transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()

    async def linger(self, seconds: float) -> None:
        """Let a browser that was refused a message read why, and whatever it still sends go nowhere."""
        now = asyncio.get_running_loop().time
        until = now() + seconds
        while self._is_refused and self._is_there and now() < until:  # noqa: ASYNC110 - aiohttp tells nobody of the end
            await asyncio.sleep(_LOOK_SECONDS)

    @property
    def _is_refused(self) -> bool:
        return isinstance(self.exception(), aiohttp.WebSocketError)

    @property
    def _transport(self) -> asyncio.Transport | None:
        return self._req.transport if self._req is not None else None

    @property
    def _is_there(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()


async def accepted(request: web.Request, subprotocol: str | None, limits: SocketLimits) -> BrowserSocket:
    """Answer a handshake by 101; raises BadRequest, which nobody hears, where the browser has left meanwhile."""
    options: dict[str, Any] = {
        "protocols": (subprotocol,) if subprotocol else (),
        "timeout": limits.close,
        "autoclose": False,
        "heartbeat": limits.heartbeat,
        "compress": False,
        # It refuses what is as long as this.
        "max_msg_size": limits.message + 1,
        "decode_text": False,
    }
    browser = BrowserSocket(**options)
    try:
        await browser.prepare(answered_with(request, subprotocol))
    except ConnectionError as error:
        raise BadRequest("The browser has left.") from error
    return browser
