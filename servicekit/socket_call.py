"""Opening a WebSocket to another server (RFC 6455, section 4.1), and what it answers where it opens none.

Owns the judgement on the answer to the handshake: what was not offered, asked or proven is no WebSocket. No extension
is offered, and so nothing is ever unpacked.
Never follows a redirect, carries a cookie or tries again, and never reads meaning into a refusal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDictProxy
from yarl import URL

from servicekit.remote_timeout import RemoteTimeout

LARGEST_REFUSAL: Final = 65_536
_SWITCHING: Final = 101
# What aiohttp would say for whoever did not say it.
_NOT_ADDED: Final = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING)


class HandshakeRefused(Exception):
    """The other side answered, and opened nothing: `status`, `headers` and the whole `body`, not unpacked."""

    def __init__(self, status: int, headers: CIMultiDictProxy[str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


class NotAWebSocket(Exception):
    """The other side answered what is neither a WebSocket nor a refusal that can be passed on; the text says what."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may cost; times in seconds, `message` in bytes.

    A side that says nothing is pinged after `heartbeat`, and given up without an answer after half as much again.
    `close` is how long a closing handshake is waited for.
    """

    message: int = 1_048_576
    heartbeat: float = 20
    close: float = 3


def socket_session(connector: aiohttp.BaseConnector, connect_seconds: float) -> aiohttp.ClientSession:
    """Return a session that opens WebSockets and nothing else."""
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds),
        trust_env=False,
        auto_decompress=False,
        skip_auto_headers=_NOT_ADDED,
        middlewares=(_judge,),
    )


async def open_socket(
    session: aiohttp.ClientSession,
    address: URL,
    *,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    seconds: float,
    limits: SocketLimits,
) -> "aiohttp.ClientWebSocketResponse[bool]":
    """Open a WebSocket by a `session` of `socket_session` within `seconds`.

    `address` is sent as it stands, byte for byte.
    Raises HandshakeRefused, NotAWebSocket, TimeoutError, and aiohttp's own errors where there was no answer.
    """
    try:
        async with RemoteTimeout(seconds):
            return await session.ws_connect(
                address,
                headers=headers,
                protocols=subprotocols,
                timeout=aiohttp.ClientWSTimeout(ws_close=limits.close),
                autoclose=False,
                heartbeat=limits.heartbeat,
                compress=0,
                # It refuses what is as long as this.
                max_msg_size=limits.message + 1,
                decode_text=False,
            )
    except aiohttp.WSServerHandshakeError as error:
        raise NotAWebSocket(error.message) from error


async def _judge(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Read a refusal whole, before the library closes it or follows it, and refuse what the library lets through."""
    response = await send(request)
    offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
    try:
        fault = await _fault_in(response, offered)
    except BaseException:
        response.close()
        raise
    if fault:
        response.close()
        raise fault
    return response


async def _fault_in(response: aiohttp.ClientResponse, offered: Sequence[str]) -> Exception | None:
    if response.status != _SWITCHING:
        return HandshakeRefused(response.status, response.headers, await _whole(response))
    chosen = response.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    if len(chosen) > 1 or any(name not in offered for name in chosen):
        return NotAWebSocket("a subprotocol that was not offered")
    if hdrs.SEC_WEBSOCKET_EXTENSIONS in response.headers:
        return NotAWebSocket("an extension that was not offered")
    return None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(LARGEST_REFUSAL):
        body += piece
        if len(body) > LARGEST_REFUSAL:
            raise NotAWebSocket("a refusal of more than 64 KiB")
    return bytes(body)
